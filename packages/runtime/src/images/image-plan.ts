import type { ImageInput } from "@nearside/core";

export interface Size {
  readonly height: number;
  readonly width: number;
}

export interface Box extends Size {
  readonly x: number;
  readonly y: number;
}

/** What is done with an image's pixels. */
export interface ImagePlan {
  /** Of the tensor. */
  readonly size: Size;
  /** The pixels that are taken, and where they go in the tensor, around which it is black. */
  readonly from: Box;
  readonly to: Box;
  /** For each channel: what it takes of red, green and blue, from 0 to 255, and what is added. */
  readonly channels: readonly (readonly [red: number, green: number, blue: number, added: number])[];
  readonly isChannelsFirst: boolean;
}

/** What each channel is of a pixel's red, green and blue; grey is the luma of ITU-R BT.601. */
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

export function planImage({ shape, pixels, fit, layout, channels, scale, mean, std }: ImageInput): ImagePlan {
  const isChannelsFirst = layout === "nchw";
  const [height, width] = shape.slice(isChannelsFirst ? 2 : 1) as [number, number]; // image() made it
  const size = { height, width };
  return {
    size,
    ...place(pixels, size, fit),
    channels: channelWeights[channels].map(([red, green, blue], index) => {
      const deviation = std[index] as number; // one for each channel
      const factor = scale / deviation;
      return [red * factor, green * factor, blue * factor, -(mean[index] as number) / deviation] as const;
    }),
    isChannelsFirst,
  };
}

function place(source: Size, target: Size, fit: ImageInput["fit"]): { readonly from: Box; readonly to: Box } {
  const all = ({ height, width }: Size): Box => ({ x: 0, y: 0, height, width });
  const ratios = [source.height / target.height, source.width / target.width];
  if (fit === "cover") return { from: centred(source, target, Math.min(...ratios)), to: all(target) };
  if (fit === "contain") return { from: all(source), to: centred(target, source, 1 / Math.max(...ratios)) };
  return { from: all(source), to: all(target) };
}

/** A box of this shape times the ratio, in the middle of another one, in whole pixels. */
function centred(outer: Size, shape: Size, ratio: number): Box {
  const height = Math.max(1, Math.round(shape.height * ratio));
  const width = Math.max(1, Math.round(shape.width * ratio));
  return { x: (outer.width - width) >> 1, y: (outer.height - height) >> 1, height, width };
}
