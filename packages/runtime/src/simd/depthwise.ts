import type { KernelFunc, TensorInfo } from "@tensorflow/tfjs-core";
import { addressOf } from "../backends/wasm-memory.ts";
import { type RunStride, type RunWidth, runPixels, runStrides, runWidths } from "./code/depthwise.ts";
import { readConvolution } from "./convolution.ts";
import { type Axis, tapsWithin, wholeOutputs } from "./filter-taps.ts";

/** `DepthwiseConv2dNative` and `FusedDepthwiseConv2D` by our kernels. Undefined where they can't. */
export function convolveDepthwise(args: Parameters<KernelFunc>[0]): TensorInfo | undefined {
  const convolution = readConvolution(args, { isDepthwise: true });
  if (convolution === undefined) return undefined;
  const { simd, backend, x, bias, clamp, outShape, batch, down, across, inChannels } = convolution;
  const { least, greatest } = clamp;
  const filter = addressOf(backend, convolution.filter);
  const pixelBytes = inChannels * 4;
  const filterRowBytes = across.filterSize * pixelBytes;
  const imageRowBytes = across.inSize * pixelBytes;
  const run = runOf(across);
  const output = backend.makeOutput(outShape, "float32");
  let out = addressOf(backend, output);
  for (let line = 0; line < batch * down.outSize; line++) {
    const image = Math.floor(line / down.outSize);
    const rows = tapsWithin(down, line % down.outSize);
    const xRow = x + (image * down.inSize + rows.start) * imageRowBytes;
    /** What the kernels take, for an output and the columns of the filter that it begins with. */
    const operands = (pixel: number, columns: ReturnType<typeof tapsWithin>) =>
      [
        xRow + columns.start * pixelBytes,
        down.dilation * imageRowBytes,
        filter + rows.first * filterRowBytes + columns.first * pixelBytes,
        filterRowBytes,
        rows.end - rows.first,
        bias,
        out + pixel * pixelBytes,
        pixelBytes,
        pixelBytes - 16,
      ] as const;
    for (let pixel = 0; pixel < across.outSize; ) {
      const columns = tapsWithin(across, pixel);
      const given = operands(pixel, columns);
      if (run && pixel === run.first) {
        simd.calls.call(run.kernel, ...given, run.end - run.first, least, greatest);
        pixel = run.end;
      } else {
        const width = columns.end - columns.first;
        simd.calls.call("convolvePixel", ...given, across.dilation * pixelBytes, width, least, greatest);
        pixel++;
      }
    }
    simd.calls.endGroup();
    out += across.outSize * pixelBytes;
  }
  simd.calls.finish();
  return output;
}

interface Run {
  readonly kernel: `convolve${RunWidth}By${RunStride}`;
  readonly first: number;
  readonly end: number;
}

/** The outputs of a row that one kernel computes together. Undefined where there is none for the filter, or too few. */
function runOf(across: Axis): Run | undefined {
  const width = runWidths.find((each) => each === across.filterSize);
  const stride = runStrides.find((each) => each === across.stride);
  const { first, end } = wholeOutputs(across);
  if (!width || !stride || across.dilation !== 1 || end - first < runPixels) return undefined;
  return { kernel: `convolve${width}By${stride}`, first, end };
}
