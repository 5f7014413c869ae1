import type { Tensor } from "@nearside/core";
import type { Kernels } from "./kernel.ts";
import type { KernelAttrs } from "./kernel-attrs.ts";
import { float32Tensor, invalid, numbersOf } from "./plain-tensors.ts";

/** The source pixels of one output pixel along an axis, and how much each counts. */
type Span = readonly (readonly [source: number, weight: number])[];

/** Images [b, h, w, c] of any numbers in another size, as float32. */
export const resampleKernels: Kernels = {
  /** By cubic convolution; TensorFlow looks its weights up in a table of 1024 steps. */
  ResizeBicubic: {
    compute: ([images, size], attrs) =>
      resample("ResizeBicubic", images, size, (from, to) =>
        spans(to, (at) => cubicSpan(at, from, scaleOf(from, to, attrs), attrs.bool("half_pixel_centers", false))),
      ),
  },
  /** The mean of the area that an output pixel covers. */
  ResizeArea: {
    compute: ([images, size], attrs) =>
      resample("ResizeArea", images, size, (from, to) =>
        spans(to, (at) => areaSpan(at, from, scaleOf(from, to, attrs))),
      ),
  },
  /** Scaled by `scale` [2] and moved by `translation` [2], with a kernel that `antialias` widens where it shrinks. */
  ScaleAndTranslate: {
    compute([images, size, scale, translation], attrs) {
      const [scales, moves] = [numbersOf(scale), numbersOf(translation)];
      const type = attrs.text("kernel_type", "lanczos3");
      const kernel = Object.hasOwn(kernels, type) ? kernels[type] : undefined;
      if (kernel === undefined) throw invalid("ScaleAndTranslate", `kernel_type "${type}" is none of TensorFlow's`);
      const isAntialiased = attrs.bool("antialias", true);
      return resample("ScaleAndTranslate", images, size, (from, to, axis) =>
        spans(to, (at) => kernelSpan(at, from, scales[axis] ?? 1, moves[axis] ?? 0, kernel, isAntialiased)),
      );
    },
  },
};

const spans = (length: number, spanOf: (at: number) => Span) => Array.from({ length }, (_, at) => spanOf(at));

function resample(
  op: string,
  images: Tensor | undefined,
  size: Tensor | undefined,
  spansOf: (from: number, to: number, axis: 0 | 1) => readonly Span[],
): Tensor {
  const [batch = 0, height = 0, width = 0, channels = 0] = images?.shape ?? [];
  const [rows = 0, columns = 0] = numbersOf(size);
  if (images?.shape.length !== 4 || rows < 1 || columns < 1 || height < 1 || width < 1) {
    throw invalid(op, `expected images [b, h, w, c] and a size, got [${images?.shape}] and ${rows} × ${columns}`);
  }
  const [down, across] = [spansOf(height, rows, 0), spansOf(width, columns, 1)];
  const source = numbersOf(images);
  const result: number[] = [];
  for (let image = 0; image < batch; image++) {
    for (const vertical of down) {
      for (const horizontal of across) {
        for (let channel = 0; channel < channels; channel++) {
          let sum = 0;
          for (const [y, weightY] of vertical) {
            for (const [x, weightX] of horizontal) {
              sum += weightY * weightX * (source[((image * height + y) * width + x) * channels + channel] ?? 0);
            }
          }
          result.push(sum);
        }
      }
    }
  }
  return float32Tensor([batch, rows, columns, channels], result);
}

function scaleOf(from: number, to: number, attrs: KernelAttrs): number {
  const isAligned = attrs.bool("align_corners", false) && to > 1;
  return Math.fround(isAligned ? (from - 1) / (to - 1) : from / to);
}

const tableSteps = 1024;

/** Keys' weights (a = −½) leave out what lies outside; the older ones (a = −¾) repeat the border. */
function cubicSpan(at: number, length: number, scale: number, isKeys: boolean): Span {
  const place = Math.fround(isKeys ? (at + 0.5) * scale - 0.5 : at * scale);
  const first = Math.floor(place);
  const offset = Math.round((place - first) * tableSteps) / tableSteps;
  const a = isKeys ? -0.5 : -0.75;
  const near = (x: number) => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number) => ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a;
  const span = [far(offset), near(offset), near(1 - offset), far(1 - offset)].map((weight, index) => {
    const wanted = first - 1 + index;
    const source = Math.min(Math.max(wanted, 0), length - 1);
    return [source, isKeys && source !== wanted ? 0 : weight] as const;
  });
  return isKeys ? normalise(span) : span;
}

function areaSpan(at: number, length: number, scale: number): Span {
  const [begin, end] = [Math.fround(at * scale), Math.fround((at + 1) * scale)];
  const span: [number, number][] = [];
  for (let source = Math.floor(begin); source < end; source++) {
    const covered = Math.min(source + 1, end) - Math.max(source, begin);
    span.push([Math.min(source, length - 1), covered / scale]);
  }
  return span;
}

interface ResampleKernel {
  readonly radius: number;
  weight(distance: number): number;
}

const lanczos = (radius: number): ResampleKernel => ({
  radius,
  weight: (x) => {
    if (x > radius) return 0;
    if (x <= 1e-3) return 1;
    return (radius * Math.sin(Math.PI * x) * Math.sin((Math.PI * x) / radius)) / (Math.PI * Math.PI * x * x);
  },
});

/** By the names of TensorFlow's `kernel_type`. */
const kernels: Readonly<Record<string, ResampleKernel>> = {
  lanczos1: lanczos(1),
  lanczos3: lanczos(3),
  lanczos5: lanczos(5),
  gaussian: { radius: 1.5, weight: (x) => (x >= 1.5 ? 0 : Math.exp(-(x * x) / (2 * 0.5 * 0.5))) },
  box: { radius: 1, weight: (x) => (x < 0.5 ? 1 : x === 0.5 ? 0.5 : 0) },
  triangle: { radius: 1, weight: (x) => Math.max(0, 1 - x) },
  keyscubic: {
    radius: 2,
    weight: (x) => {
      if (x >= 2) return 0;
      return x >= 1 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : (1.5 * x - 2.5) * x * x + 1;
    },
  },
  mitchellcubic: {
    radius: 2,
    weight: (x) => {
      if (x >= 2) return 0;
      if (x >= 1) return (((-7 / 18) * x + 2) * x - 10 / 3) * x + 16 / 9;
      return ((7 / 6) * x - 2) * x * x + 8 / 9;
    },
  },
};

function kernelSpan(
  at: number,
  length: number,
  scale: number,
  translation: number,
  { radius, weight }: ResampleKernel,
  isAntialiased: boolean,
): Span {
  // In float32 like TensorFlow's: where a pixel lies right at a kernel's border, rounding decides.
  const inverse = Math.fround(1 / scale);
  const width = isAntialiased ? Math.max(inverse, 1) : 1;
  const centre = Math.fround(Math.fround((at + 0.5) * inverse) - Math.fround(inverse * translation));
  if (centre < 0 || centre > length) return [];
  const begin = Math.max(0, Math.ceil(centre - radius * width - 0.5));
  const end = Math.min(length - 1, Math.floor(centre + radius * width - 0.5));
  const span: [number, number][] = [];
  for (let source = begin; source <= end; source++) {
    span.push([source, weight(Math.abs(Math.fround(Math.fround(source + 0.5 - centre) / width)))]);
  }
  return normalise(span);
}

function normalise(span: Span): Span {
  const sum = span.reduce((total, [, weight]) => total + weight, 0);
  return Math.abs(sum) < 1e-34 ? span : span.map(([source, weight]) => [source, weight / sum]);
}
