import type { KernelFunc, TensorInfo } from "@tensorflow/tfjs-core";
import { addressOf } from "../backends/wasm-memory.ts";
import { type Convolution, readConvolution } from "./convolution.ts";
import { type Axis, tapsWithin, wholeOutputs } from "./filter-taps.ts";
import { blockRows, multiply } from "./products.ts";

/**
 * `Conv2D` and `FusedConv2D` by our kernels: a product of matrices, the left one of which is the images, or what the
 * filter sees of them. Undefined where they can't.
 */
export function convolve(args: Parameters<KernelFunc>[0]): TensorInfo | undefined {
  const convolution = readConvolution(args, { isDepthwise: false });
  if (convolution === undefined) return undefined;
  const { simd, backend, x, filter, bias, clamp, output, batch, down, across, outChannels } = convolution;
  const depth = down.filterSize * across.filterSize * convolution.inChannels;
  const layout = { depth, columns: outChannels, isTransposed: false };
  const product = { right: simd.packOnce(filter, layout), layout, bias, ...clamp };
  const out = addressOf(backend, output);
  const pixels = batch * down.outSize * across.outSize;
  if ([down, across].every(isPointwise)) {
    multiply(simd, { ...product, left: x, rows: pixels, out });
    return output;
  }
  const count = Math.min(pixels, blockRows(depth));
  const left = simd.scratch(count * depth * 4);
  for (let pixel = 0; pixel < pixels; pixel += count) {
    const rows = Math.min(count, pixels - pixel);
    gather(convolution, { pixel, count: rows, left, patchBytes: depth * 4 });
    multiply(simd, { ...product, left, rows, out: out + pixel * outChannels * 4 });
  }
  return output;
}

function isPointwise({ filterSize, stride, inSize, outSize }: Axis): boolean {
  return filterSize === 1 && stride === 1 && inSize === outSize;
}

interface Patches {
  /** The first output, and how many, in the order in which they lie in memory. */
  readonly pixel: number;
  readonly count: number;
  /** Where what the filter sees for the first output goes; the others follow. */
  readonly left: number;
  readonly patchBytes: number;
}

/** Copies what the filter sees of the images, output by output: zeros where it lies beyond their edges. */
function gather(convolution: Convolution, { pixel, count, left, patchBytes }: Patches): void {
  const { down, across } = convolution;
  const whole = wholeOutputs(across);
  for (let done = 0; done < count; ) {
    const line = Math.floor((pixel + done) / across.outSize);
    const column = (pixel + done) % across.outSize;
    const isWhole = column >= whole.first && column < whole.end;
    const end = isWhole ? Math.min(whole.end, column + count - done) : column + 1;
    const place = { image: Math.floor(line / down.outSize), row: line % down.outSize, column };
    copy(convolution, place, { count: end - column, to: left + done * patchBytes, patchBytes });
    done += end - column;
  }
}

/** The same for outputs of one row that see the same columns of the filter. */
function copy(
  { simd, backend, x, down, across, inChannels }: Convolution,
  { image, row, column }: Readonly<Record<"image" | "row" | "column", number>>,
  { count, to, patchBytes }: Readonly<Record<"count" | "to" | "patchBytes", number>>,
): void {
  const pixelBytes = inChannels * 4;
  const rows = tapsWithin(down, row);
  const columns = tapsWithin(across, column);
  const [height, width] = [rows.end - rows.first, columns.end - columns.first];
  const isCut = height < down.filterSize || width < across.filterSize;
  if (isCut) backend.wasm.HEAPU8.fill(0, to, to + count * patchBytes);
  const isOneRun = across.dilation === 1;
  simd.kernels.gatherPatches(
    x + ((image * down.inSize + rows.start) * across.inSize + columns.start) * pixelBytes,
    across.stride * pixelBytes,
    down.dilation * across.inSize * pixelBytes,
    across.dilation * pixelBytes,
    to + (rows.first * across.filterSize + columns.first) * pixelBytes,
    patchBytes,
    across.filterSize * pixelBytes,
    pixelBytes,
    count,
    height,
    isOneRun ? Math.min(1, width) : width,
    isOneRun ? width * inChannels : inChannels,
  );
}
