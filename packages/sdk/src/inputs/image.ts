import { type ImageInput, InferenceError } from "@nearside/core";

/** What has pixels: an element of the page, a frame, a file. */
export type ImageSource = ImageBitmapSource;

export interface ImageOptions {
  /** Height and width, or one number for both; by default the source's. */
  readonly size?: number | readonly [height: number, width: number];
  /**
   * What becomes of another aspect ratio: `cover` (default) cuts off what is too much, `contain` adds black bars,
   * `stretch` distorts.
   */
  readonly fit?: ImageInput["fit"];
  /** `rgb` (default), `bgr`, or `grey`: the luma of ITU-R BT.601. */
  readonly channels?: ImageInput["channels"];
  /** An element is (pixel · scale − mean) / std, of a pixel from 0 to 255; scale is 1/255 by default. */
  readonly scale?: number;
  /** For all channels, or for each in their order (default 0). */
  readonly mean?: number | readonly number[];
  /** For all channels, or for each in their order (default 1). */
  readonly std?: number | readonly number[];
  /** Where the channels are: `nhwc` (default) makes [1, height, width, channels], `nchw` [1, channels, height, width]. */
  readonly layout?: ImageInput["layout"];
}

/**
 * An image for a run, in the place of a float32 tensor of one batch. Its pixels are taken now, and resized and normalised
 * where the model runs: on webgpu by the GPU, elsewhere in a worker, by the same filter, a triangle with antialiasing (as
 * `tf.image.resize` has it). It may be run as often as one likes, until its `pixels` are closed, which frees their memory at
 * once. Rejects with `invalid-argument` for what has no pixels.
 */
export async function image(
  source: ImageSource,
  { size, fit = "cover", channels = "rgb", scale = 1 / 255, mean = 0, std = 1, layout = "nhwc" }: ImageOptions = {},
): Promise<ImageInput> {
  const count = channels === "grey" ? 1 : 3;
  const [means, deviations] = [perChannel("mean", mean, count), perChannel("std", std, count)];
  const wanted = typeof size === "number" ? [size, size] : size;
  if (wanted && !(wanted.length === 2 && [...wanted].every((length) => Number.isSafeInteger(length) && length > 0))) {
    throw invalid(`a size of whole pixels, got ${wanted}`);
  }
  const choices = `${fit}, ${channels}, ${layout}`;
  if (!/^(cover|contain|stretch), (rgb|bgr|grey), (nhwc|nchw)$/.test(choices)) {
    throw invalid(`fit, channels and layout that exist, got ${choices}`);
  }
  if (![scale, ...means, ...deviations.map((deviation) => 1 / deviation)].every(Number.isFinite)) {
    throw invalid("numbers for scale, mean and std, none of std 0");
  }
  const pixels = await decode(source);
  const [height, width] = wanted ?? [pixels.height, pixels.width];
  const shape = layout === "nhwc" ? [1, height, width, count] : [1, count, height, width];
  return { dtype: "float32", shape, pixels, fit, layout, channels, scale, mean: means, std: deviations };
}

async function decode(source: ImageSource): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(source);
  } catch (cause) {
    throw invalid(`something with pixels: ${cause instanceof Error ? cause.message : cause}`, cause);
  }
}

function perChannel(name: string, value: number | readonly number[], count: number): readonly number[] {
  const values = typeof value === "number" ? new Array<number>(count).fill(value) : value;
  if (values.length === count) return values;
  throw invalid(`${count} numbers for ${name}, got ${values.length}`);
}

function invalid(expected: string, cause?: unknown): InferenceError {
  return new InferenceError("invalid-argument", `image: expected ${expected}`, { cause });
}
