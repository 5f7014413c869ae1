import { InferenceError, type Tensor } from "@nearside/core";

/** What has pixels: an element of the page, a frame, a file. */
export type ImageSource = ImageBitmapSource;

export interface ImageOptions {
  /** Height and width, or one number for both; by default the source's. */
  readonly size?: number | readonly [height: number, width: number];
  /**
   * What becomes of another aspect ratio: `cover` (default) cuts off what is too much, `contain` adds black bars,
   * `stretch` distorts.
   */
  readonly fit?: "cover" | "contain" | "stretch";
  /** `rgb` (default), `bgr`, or `grey`: the luma of ITU-R BT.601. */
  readonly channels?: "rgb" | "bgr" | "grey";
  /** An element is (pixel · scale − mean) / std, of a pixel from 0 to 255; scale is 1/255 by default. */
  readonly scale?: number;
  /** For all channels, or for each in their order (default 0). */
  readonly mean?: number | readonly number[];
  /** For all channels, or for each in their order (default 1). */
  readonly std?: number | readonly number[];
  /** Where the channels are: `nhwc` (default) makes [1, height, width, channels], `nchw` [1, channels, height, width]. */
  readonly layout?: "nhwc" | "nchw";
}

/**
 * The pixels of an image as a float32 tensor of one batch. The browser decodes and resizes it beside the calling thread;
 * only pixels of the size asked for are touched by JavaScript. It works in workers, too. Rejects with `invalid-argument`
 * for what has no pixels.
 */
export async function image(source: ImageSource, options: ImageOptions = {}): Promise<Tensor<"float32">> {
  const { fit = "cover", channels = "rgb", layout = "nhwc" } = options;
  const whole = await decode(source);
  try {
    const [height, width] = sizeOf(options.size ?? [whole.height, whole.width]);
    const { from, to } = place(whole, { height, width }, fit);
    const bitmap = await createImageBitmap(whole, from.x, from.y, from.width, from.height, {
      resizeWidth: to.width,
      resizeHeight: to.height,
      resizeQuality: "medium",
    });
    const pixels = readPixels(bitmap, to, { height, width });
    const weights = channelWeights[channels];
    const data = normalise(pixels, weights, options);
    const shape = layout === "nhwc" ? [1, height, width, weights.length] : [1, weights.length, height, width];
    return { dtype: "float32", shape, data: layout === "nhwc" ? data : channelsFirst(data, weights.length) };
  } finally {
    whole.close();
  }
}

/** What each channel takes of a pixel's red, green and blue. */
const channelWeights = {
  rgb: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  bgr: [
    [0, 0, 1],
    [0, 1, 0],
    [1, 0, 0],
  ],
  grey: [[0.299, 0.587, 0.114]],
} as const;

type Weights = readonly (readonly [number, number, number])[];

interface Size {
  readonly height: number;
  readonly width: number;
}

interface Box extends Size {
  readonly x: number;
  readonly y: number;
}

async function decode(source: ImageSource): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(source);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InferenceError("invalid-argument", `image: expected something with pixels: ${reason}`, { cause });
  }
}

function sizeOf(size: number | readonly [number, number]): readonly [height: number, width: number] {
  const [height, width] = typeof size === "number" ? [size, size] : size;
  if ([height, width].every((length) => Number.isSafeInteger(length) && length > 0)) return [height, width];
  throw new InferenceError("invalid-argument", `image: expected a size of whole pixels, got ${height} × ${width}`);
}

/** The part of the source that is taken, and where it goes. */
function place(source: Size, target: Size, fit: NonNullable<ImageOptions["fit"]>): { from: Box; to: Box } {
  const all = ({ height, width }: Size) => ({ x: 0, y: 0, height, width });
  const ratio = Math.min(source.height / target.height, source.width / target.width);
  if (fit === "stretch") return { from: all(source), to: all(target) };
  if (fit === "cover") return { from: centred(source, target, ratio), to: all(target) };
  return {
    from: all(source),
    to: centred(target, source, 1 / Math.max(source.height / target.height, source.width / target.width)),
  };
}

/** A box of this shape times the ratio, in the middle of another one, in whole pixels. */
function centred(outer: Size, shape: Size, ratio: number): Box {
  const height = Math.max(1, Math.round(shape.height * ratio));
  const width = Math.max(1, Math.round(shape.width * ratio));
  return { x: (outer.width - width) >> 1, y: (outer.height - height) >> 1, height, width };
}

/** Red, green, blue and alpha of each pixel, on black. */
function readPixels(bitmap: ImageBitmap, to: Box, { height, width }: Size): Uint8ClampedArray {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  if (!context) throw new InferenceError("out-of-memory", `image: no memory for ${height} × ${width} pixels`);
  context.drawImage(bitmap, to.x, to.y);
  bitmap.close();
  return context.getImageData(0, 0, width, height).data;
}

function normalise(pixels: Uint8ClampedArray, weights: Weights, { scale = 1 / 255, mean = 0, std = 1 }: ImageOptions) {
  const count = weights.length;
  const data = new Float32Array((pixels.length / 4) * count);
  weights.forEach(([red, green, blue], channel) => {
    // (pixel · scale − mean) / std, with the divisions done once
    const factor = scale / forChannel(std, channel, count, "std");
    const offset = forChannel(mean, channel, count, "mean") / forChannel(std, channel, count, "std");
    for (let from = 0, to = channel; from < pixels.length; from += 4, to += count) {
      const value =
        red * (pixels[from] as number) + green * (pixels[from + 1] as number) + blue * (pixels[from + 2] as number);
      data[to] = value * factor - offset;
    }
  });
  return data;
}

function forChannel(value: number | readonly number[], channel: number, count: number, name: string): number {
  if (typeof value === "number") return value;
  if (value.length === count) return value[channel] as number; // there are so many
  throw new InferenceError("invalid-argument", `image: expected ${count} numbers for ${name}, got ${value.length}`);
}

function channelsFirst(data: Float32Array, count: number): Float32Array<ArrayBuffer> {
  const pixels = data.length / count;
  return Float32Array.from(
    { length: data.length },
    (_, at) => data[(at % pixels) * count + Math.floor(at / pixels)] ?? 0,
  );
}
