import { backend_util, type KernelFunc, type TensorInfo } from "@tensorflow/tfjs-core";
import { addressOf, type WasmBackend } from "../backends/wasm-memory.ts";
import { axesOf } from "./convolution.ts";
import { type Axis, tapsWithin, wholeOutputs } from "./filter-taps.ts";
import { blockRows, multiplyMatrices } from "./products.ts";
import type { Simd } from "./simd.ts";

/**
 * `Conv2DBackpropInput`, a transposed convolution, by our kernels: each pixel of `dy` times the filter is a patch, which
 * is added to the image where a convolution would have seen it. Undefined where they can't.
 */
export function convolveTransposed({
  inputs,
  attrs,
  backend: given,
}: Parameters<KernelFunc>[0]): TensorInfo | undefined {
  const backend = given as WasmBackend;
  const { simd } = backend;
  const { dy, filter } = inputs as Readonly<Record<string, TensorInfo>>;
  const { strides, pad, inputShape, dimRoundingMode, dataFormat = "NHWC" } = attrs as unknown as TransposedAttrs; // its
  if (!simd || dataFormat !== "NHWC" || dy?.dtype !== "float32" || filter?.dtype !== "float32") return undefined;
  const info = backend_util.computeConv2DInfo(inputShape, filter.shape as Rank4, strides, 1, pad, dimRoundingMode);
  const { batchSize, inChannels, outChannels, filterHeight, filterWidth, outHeight, outWidth } = info;
  const columns = filterHeight * filterWidth * inChannels;
  const isAsExpected = [batchSize, outHeight, outWidth, outChannels].every((size, axis) => size === dy.shape[axis]);
  if (columns < 4 || inChannels < 1 || !isAsExpected) return undefined;
  const weights = {
    columns,
    right: simd.packOnce(filter, { depth: outChannels, columns, isTransposed: true }),
    bias: 0,
    least: Number.NEGATIVE_INFINITY,
    greatest: Number.POSITIVE_INFINITY,
  };
  const pixels = outHeight * outWidth;
  const block = Math.min(pixels, blockRows(columns) * simd.calls.threads);
  const out = simd.scratch(block * columns * 4);
  const output = backend.makeOutput(inputShape, "float32"); // last, since what comes before may find no memory
  const [from, to] = [addressOf(backend, dy), addressOf(backend, output)];
  const imageBytes = info.inHeight * info.inWidth * inChannels * 4;
  backend.wasm.HEAPU8.fill(0, to, to + batchSize * imageBytes);
  for (let image = 0; image < batchSize; image++) {
    for (let pixel = 0; pixel < pixels; pixel += block) {
      const rows = Math.min(block, pixels - pixel);
      const left = from + (image * pixels + pixel) * outChannels * 4;
      multiplyMatrices(simd, weights, { rows, left, depth: outChannels, out });
      simd.calls.finish();
      const patches = { from: out, pixel, count: rows, channels: inChannels };
      addPatches(simd, axesOf(info), patches, to + image * imageBytes);
      simd.calls.finish();
    }
  }
  return output;
}

interface TransposedAttrs {
  readonly strides: number | [number, number];
  readonly pad: Parameters<typeof backend_util.computeConv2DInfo>[4];
  readonly inputShape: Rank4;
  readonly dimRoundingMode?: "floor" | "round" | "ceil";
  readonly dataFormat?: string;
}

type Rank4 = [number, number, number, number];

interface Patches {
  /** The address of the first, the pixel of `dy` that it is of, and how many follow. */
  readonly from: number;
  readonly pixel: number;
  readonly count: number;
  readonly channels: number;
}

/** Adds patches to the image at an address; what lies beyond its edges is left out. */
function addPatches({ calls }: Simd, axes: Axes, { from, pixel, count, channels }: Patches, image: number): void {
  const { down, across } = axes;
  const whole = wholeOutputs(across);
  const pixelBytes = channels * 4;
  const rowBytes = across.filterSize * pixelBytes;
  const patchBytes = down.filterSize * rowBytes;
  for (let done = 0; done < count; ) {
    const [row, column] = [Math.floor((pixel + done) / across.outSize), (pixel + done) % across.outSize];
    const isWhole = column >= whole.first && column < whole.end;
    const end = isWhole ? Math.min(whole.end, column + count - done) : column + 1;
    const [rows, columns] = [tapsWithin(down, row), tapsWithin(across, column)];
    const width = columns.end - columns.first;
    calls.call(
      "addPatches",
      from + done * patchBytes + rows.first * rowBytes + columns.first * pixelBytes,
      patchBytes,
      rowBytes,
      0,
      image + (rows.start * across.inSize + columns.start) * pixelBytes,
      across.stride * pixelBytes,
      across.inSize * pixelBytes,
      0,
      end - column,
      rows.end - rows.first,
      Math.min(1, width),
      width * channels,
    );
    done += end - column;
  }
}

type Axes = Readonly<Record<"down" | "across", Axis>>;
