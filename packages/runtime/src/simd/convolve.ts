import type { KernelFunc, TensorInfo } from "@tensorflow/tfjs-core";
import { addressOf } from "../backends/wasm-memory.ts";
import { tileRows } from "./code/matrices.ts";
import { type Convolution, readConvolution } from "./convolution.ts";
import { type Axis, tapsWithin, wholeOutputs } from "./filter-taps.ts";
import { blockRows, multiply, multiplyMatrices, type Right } from "./products.ts";

/**
 * `Conv2D` and `FusedConv2D` by our kernels: products of matrices, whose left one is the image itself where the whole
 * filter lies within it, and elsewhere copies of what it sees. Undefined where they can't.
 */
export function convolve(args: Parameters<KernelFunc>[0]): TensorInfo | undefined {
  const convolution = readConvolution(args, { isDepthwise: false });
  if (convolution === undefined) return undefined;
  const { simd, backend, x, filter, bias, clamp, outShape, batch, down, across, outChannels } = convolution;
  const depth = down.filterSize * across.filterSize * convolution.inChannels;
  const right = simd.packOnce(filter, { depth, columns: outChannels, isTransposed: false });
  const weights = { columns: outChannels, right, bias, ...clamp };
  const imagePixels = down.outSize * across.outSize;
  const isMatrix = [down, across].every(isPointwise);
  const block = Math.min(imagePixels, blockRows(depth));
  const blocks = isMatrix ? 0 : simd.calls.threads * blocksPerThread; // whose patches are in memory at a time
  const patches = simd.scratch(blocks * block * depth * 4);
  const output = backend.makeOutput(outShape, "float32"); // last, since what comes before may find no memory
  const out = addressOf(backend, output);
  if (isMatrix) {
    multiplyMatrices(simd, weights, { rows: batch * imagePixels, left: x, depth, out });
    simd.calls.finish();
    return output;
  }
  const inner = innerOutputs(convolution);
  let next = 0;
  for (let image = 0; image < batch; image++) {
    const place = { image, out: out + image * imagePixels * outChannels * 4 };
    multiplyImage(convolution, weights, place, inner);
    for (const pixels of outerOutputs(convolution, inner)) {
      for (let done = 0; done < pixels.count; done += block) {
        const first = pixels.first + done * pixels.step;
        const count = Math.min(block, pixels.count - done);
        const left = patches + next * block * depth * 4;
        multiplyPatches(convolution, weights, place, { first, count, step: pixels.step }, left);
        next = (next + 1) % blocks;
        if (next === 0) simd.calls.finish();
      }
    }
  }
  simd.calls.finish();
  return output;
}

const blocksPerThread = 4;

/** An image of the batch, and where its outputs go. */
interface Place {
  readonly image: number;
  readonly out: number;
}

/** Multiplies the image itself, row by row: a row of the matrix is what the filter sees, a run for each of its rows. */
function multiplyImage(
  { simd, x, down, across, inChannels, outChannels }: Convolution,
  weights: Right,
  { image, out }: Place,
  { firstRow, endRow, firstColumn, endColumn }: Inner,
): void {
  const pixelBytes = inChannels * 4;
  for (let row = firstRow; row < endRow; row++) {
    const y = image * down.inSize + row * down.stride - down.padding;
    multiply(simd, weights, {
      rows: endColumn - firstColumn,
      left: x + (y * across.inSize + firstColumn * across.stride - across.padding) * pixelBytes,
      leftBytes: across.stride * pixelBytes,
      depth: across.filterSize * inChannels,
      runs: down.filterSize,
      skipBytes: (down.dilation * across.inSize - across.filterSize) * pixelBytes,
      out: out + (row * across.outSize + firstColumn) * outChannels * 4,
    });
    simd.calls.endGroup();
  }
}

/** Multiplies copies of what the filter sees of the image for some outputs. */
function multiplyPatches(
  convolution: Convolution,
  weights: Right,
  { image, out }: Place,
  pixels: Pixels,
  left: number,
): void {
  const { simd, down, across, inChannels, outChannels } = convolution;
  gather(convolution, image, pixels, left);
  multiply(simd, weights, {
    rows: pixels.count,
    left,
    depth: down.filterSize * across.filterSize * inChannels,
    out: out + pixels.first * outChannels * 4,
    outBytes: pixels.step * outChannels * 4,
  });
  simd.calls.endGroup();
}

function isPointwise({ filterSize, stride, inSize, outSize }: Axis): boolean {
  return filterSize === 1 && stride === 1 && inSize === outSize;
}

/** Outputs of an image, by their place in memory: the first, how many, and how far from each to the next. */
interface Pixels {
  readonly first: number;
  readonly count: number;
  readonly step: number;
}

interface Inner {
  readonly firstRow: number;
  readonly endRow: number;
  readonly firstColumn: number;
  readonly endColumn: number;
}

/** The rows and columns of outputs for which the image itself is multiplied: none where they are too few to be fast. */
function innerOutputs({ down, across }: Convolution): Inner {
  const [rows, columns] = [wholeOutputs(down), wholeOutputs(across)];
  const isFast = across.dilation === 1 && columns.end - columns.first >= 2 * tileRows && rows.end > rows.first;
  return isFast
    ? { firstRow: rows.first, endRow: rows.end, firstColumn: columns.first, endColumn: columns.end }
    : { firstRow: 0, endRow: 0, firstColumn: 0, endColumn: across.outSize };
}

/** The other outputs: the rows before and after, and the columns to the left and right. */
function outerOutputs({ down, across }: Convolution, inner: Inner): readonly Pixels[] {
  const { firstRow, endRow, firstColumn, endColumn } = inner;
  const width = across.outSize;
  const columns = Array.from({ length: width }, (_, column) => column);
  return [
    { first: 0, count: firstRow * width, step: 1 },
    { first: endRow * width, count: (down.outSize - endRow) * width, step: 1 },
    ...columns
      .filter((column) => column < firstColumn || column >= endColumn)
      .map((column) => ({ first: firstRow * width + column, count: endRow - firstRow, step: width })),
  ];
}

/** Copies what the filter sees of an image, output by output: zeros where it lies beyond the edges. */
function gather(convolution: Convolution, image: number, { first, count, step }: Pixels, left: number): void {
  const { down, across, inChannels } = convolution;
  const patchBytes = down.filterSize * across.filterSize * inChannels * 4;
  const whole = wholeOutputs(across);
  for (let done = 0; done < count; ) {
    const pixel = first + done * step;
    const [row, column] = [Math.floor(pixel / across.outSize), pixel % across.outSize];
    const isRun = step === 1 && column >= whole.first && column < whole.end;
    const end = isRun ? Math.min(whole.end, column + count - done) : column + 1;
    copy(convolution, { image, row, column }, { count: end - column, to: left + done * patchBytes, patchBytes });
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
  simd.calls.call(
    "copyPatches",
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
