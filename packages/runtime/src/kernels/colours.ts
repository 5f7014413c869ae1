import type { Tensor } from "@nearside/core";
import type { Kernel, Kernels } from "./kernel.ts";
import { float32Tensor, invalid, numberOf, numbersOf } from "./plain-tensors.ts";

type Pixel = readonly [number, number, number];

/** Ops on colours, which lie along the last axis, of 3; hue, saturation and value from 0 to 1. */
export const colourKernels: Kernels = {
  RGBToHSV: mapPixels("RGBToHSV", toHsv),
  HSVToRGB: mapPixels("HSVToRGB", toRgb),
  /** Turns the hue by `delta`, a part of the whole circle. */
  AdjustHue: mapPixels("AdjustHue", (rgb, delta) => {
    const [hue, saturation, value] = toHsv(rgb);
    return toRgb([(((hue + delta) % 1) + 1) % 1, saturation, value]);
  }),
  /** Multiplies the saturation, which stays within 0 and 1. */
  AdjustSaturation: mapPixels("AdjustSaturation", (rgb, scale) => {
    const [hue, saturation, value] = toHsv(rgb);
    return toRgb([hue, clamp(saturation * scale), value]);
  }),
  /** (x − mean)·factor + mean, with the mean of each channel of each image [… , h, w, c]. */
  AdjustContrastv2: {
    compute([images, factor]) {
      const { shape } = images as Tensor; // it has two inputs
      if (shape.length < 3) throw invalid("AdjustContrastv2", `expected images […, h, w, c], got [${shape}]`);
      const [height = 0, width = 0, channels = 0] = shape.slice(-3);
      const pixels = height * width;
      const values = numbersOf(images);
      const means = new Map<number, number>();
      const result = values.map((value, at) => {
        const channel = at % channels;
        const begin = at - (at % (pixels * channels)) + channel;
        let mean = means.get(begin);
        if (mean === undefined) {
          mean = 0;
          for (let pixel = 0; pixel < pixels; pixel++) mean += (values[begin + pixel * channels] ?? 0) / pixels;
          means.set(begin, mean);
        }
        return (value - mean) * numberOf(factor) + mean;
      });
      return float32Tensor(shape, result);
    },
  },
};

function mapPixels(op: string, change: (pixel: Pixel, amount: number) => Pixel): Kernel {
  return {
    compute([images, amount]) {
      const { shape } = images as Tensor; // it has one input, or two
      if (shape.at(-1) !== 3) throw invalid(op, `expected 3 channels, got [${shape}]`);
      const values = numbersOf(images);
      const result: number[] = [];
      for (let at = 0; at < values.length; at += 3) {
        const [first = 0, second = 0, third = 0] = values.slice(at, at + 3);
        result.push(...change([first, second, third], numberOf(amount)));
      }
      return float32Tensor(shape, result);
    },
  };
}

function toHsv([red, green, blue]: Pixel): Pixel {
  const value = Math.max(red, green, blue);
  const range = value - Math.min(red, green, blue);
  const saturation = value > 0 ? range / value : 0;
  if (range <= 0) return [0, saturation, value];
  const sector =
    red === value ? (green - blue) / range : green === value ? 2 + (blue - red) / range : 4 + (red - green) / range;
  return [(sector < 0 ? sector + 6 : sector) / 6, saturation, value];
}

function toRgb([hue, saturation, value]: Pixel): Pixel {
  const sector = hue * 6;
  const mix = (part: number) => (1 - saturation + saturation * clamp(part)) * value;
  return [mix(Math.abs(sector - 3) - 1), mix(2 - Math.abs(sector - 2)), mix(2 - Math.abs(sector - 4))];
}

const clamp = (value: number) => Math.min(1, Math.max(0, value));
