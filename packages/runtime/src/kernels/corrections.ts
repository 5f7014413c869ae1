import {
  abs,
  all,
  any,
  argMax,
  argMin,
  broadcastTo,
  cast,
  clipByValue,
  cumprod,
  cumsum,
  denseBincount,
  div,
  fill,
  floor,
  floorDiv,
  matMul,
  maximum,
  maxPool,
  minimum,
  mod,
  mul,
  prod,
  reshape,
  sign,
  string,
  type Tensor4D,
  type Tensor as TfjsTensor,
} from "@tensorflow/tfjs-core";
import { broadcastShape } from "./broadcast.ts";
import { checkProduct } from "./check-product.ts";
import type { Kernel, Kernels } from "./kernel.ts";
import { axisOf, invalid, reducedShape, sizeOf } from "./plain-tensors.ts";
import { truncateDivide } from "./truncate-divide.ts";
import { window3d } from "./windows.ts";

/** What is left of x after x/y, rounded towards 0; it has x's sign. */
const truncateMod: Kernel = {
  compose([x, y], { op }) {
    const [a, b] = [x as TfjsTensor, y as TfjsTensor]; // it has two inputs
    broadcastShape(op, a.shape, b.shape);
    return mul(sign(a), mod(abs(a), abs(b)));
  },
};

/**
 * Ops that TensorFlow.js has but gets wrong on some backend, for some shapes or for some values. Ours hold everywhere
 * and are made of its own, called so that they are right.
 */
export const correctionKernels: Kernels = {
  /** The first place of the largest; TensorFlow.js on WebGPU gives a vector for a vector. */
  ArgMax: extreme(argMax),
  ArgMin: extreme(argMin),
  /** Of nothing they are false, true and 1; TensorFlow.js takes false for both, or on wasm what was in memory. */
  Any: reduction(any, 0),
  All: reduction(all, 1),
  Prod: reduction(prod, 1),
  /** TensorFlow.js counts no axis from the end. */
  Cumsum: cumulative(cumsum),
  Cumprod: cumulative(cumprod),
  /** TensorFlow.js has the floats' quotients as int32, so that none is infinite or NaN. */
  FloorDiv: {
    compose([x, y], { op }) {
      const [a, b] = [x as TfjsTensor, y as TfjsTensor]; // it has two inputs
      broadcastShape(op, a.shape, b.shape);
      return a.dtype === "int32" ? floorDiv(a, b) : floor(div(a, b));
    },
  },
  TruncateDiv: {
    compose([x, y], { op }) {
      const [a, b] = [x as TfjsTensor, y as TfjsTensor]; // it has two inputs
      broadcastShape(op, a.shape, b.shape);
      return truncateDivide(a, b);
    },
  },
  // The converter writes the one that only we have: of the other, TensorFlow.js gives what has the divisor's sign.
  Mod: truncateMod,
  TruncateMod: truncateMod,
  /** TensorFlow.js takes two numbers, no range for each element, and on wasm compares the bytes of integers as floats. */
  ClipByValue: {
    reads: [1, 2],
    compose([x, low, high], { op }, { 1: [least = 0] = [], 2: [most = 0] = [] }) {
      const [input, lowest, highest] = [x as TfjsTensor, low as TfjsTensor, high as TfjsTensor]; // it has three inputs
      const bounds = [lowest, highest].filter(({ rank }) => rank > 0);
      const wrong = bounds.find(({ shape }) => String(shape) !== String(input.shape));
      if (wrong) throw invalid(op, `expected a scalar or a bound of [${input.shape}], got [${wrong.shape}]`);
      if (input.dtype === "int32" || bounds.length > 0) return minimum(maximum(input, lowest), highest);
      return clipByValue(input, least, most);
    },
  },
  /** Products of matrices […, n, m]; TensorFlow.js on cpu repeats the leading axes of one in the wrong order. */
  BatchMatMulV2: {
    compose([x, y], attrs) {
      const [a, b] = [x as TfjsTensor, y as TfjsTensor]; // it has two inputs
      const transposed = { transposeA: attrs.bool("adj_x", false), transposeB: attrs.bool("adj_y", false) };
      const outer = checkProduct(attrs.op, a, b, transposed);
      const [left, right] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
      const [first, second] =
        sizeOf(left) === 1 || sizeOf(right) === 1 || `${left}` === `${right}` ? [a, b] : repeatMatrices(a, b, outer);
      return matMul(first, second, transposed.transposeA, transposed.transposeB);
    },
  },
  /** How often each number below `size` occurs, or whether; TensorFlow.js counts in a vector even then. */
  DenseBincount: {
    reads: [1],
    compose([x, , weights], attrs, { 1: [count = 0] = [] }) {
      const [input, weighted] = [x as TfjsTensor, weights as TfjsTensor]; // it has three inputs
      const rows = (tensor: TfjsTensor) =>
        tensor.rank === 1 && tensor.size > 0 ? reshape(tensor, [1, tensor.size]) : tensor;
      const isBinary = attrs.bool("binary_output", false);
      if (!isBinary || input.rank !== 1) return counted(input, weighted, count, isBinary);
      return reshape(counted(rows(input), rows(weighted), count, true), [count]);
    },
  },
  /** In two steps, of which TensorFlow.js has the kernel on every backend: the planes' maxima, then those along the depth. */
  MaxPool3D: {
    compose([x], attrs) {
      const input = x as TfjsTensor; // it has one
      const { size, strides, pad: padding } = window3d(attrs);
      const [[depth, height, width], [depthStride, heightStride, widthStride]] = [size, strides];
      const [batch = 0, planes = 0, rows = 0, columns = 0, channels = 0] = input.shape;
      const images: Tensor4D = reshape(input, [batch * planes, rows, columns, channels]);
      const pooled = maxPool(images, [height, width], [heightStride, widthStride], padding);
      const [, outRows = 0, outColumns = 0] = pooled.shape;
      const lines: Tensor4D = reshape(pooled, [batch, planes, outRows * outColumns, channels]);
      const result = maxPool(lines, [depth, 1], [depthStride, 1], padding);
      return reshape(result, [batch, result.shape[1], outRows, outColumns, channels]);
    },
  },
  /** TensorFlow.js puts the separator and the pads into lower case. */
  StringNGrams: {
    compose([data, splits], attrs) {
      const { nGrams, nGramsSplits } = string.stringNGrams(
        data as TfjsTensor as Parameters<typeof string.stringNGrams>[0], // a vector of strings
        cast(splits as TfjsTensor, "int32"),
        attrs.text("separator", ""),
        [...attrs.numbers("ngram_widths")],
        attrs.text("left_pad", ""),
        attrs.text("right_pad", ""),
        attrs.int("pad_width", 0),
        attrs.bool("preserve_short_sequences", false),
      );
      return [nGrams as TfjsTensor, nGramsSplits as TfjsTensor];
    },
  },
};

function extreme(find: typeof argMax): Kernel {
  return {
    reads: [1],
    compose([x], { op }, { 1: [dimension = 0] = [] }) {
      const input = x as TfjsTensor; // it has two inputs
      const axis = axisOf(op, dimension, input.rank);
      if (input.shape[axis] === 0) throw invalid(op, `there is none along axis ${axis} of [${input.shape}]`);
      return reshape(find(input, axis), [...reducedShape(input.shape, [axis], false)]);
    },
  };
}

function reduction(reduce: typeof any, ofNothing: number): Kernel {
  return {
    reads: [1],
    compose([x], attrs, { 1: given = [] }) {
      const input = x as TfjsTensor; // it has two inputs
      const axes = given.map((each) => axisOf(attrs.op, each, input.rank));
      const keepDims = attrs.bool("keep_dims", false);
      const shape = [...reducedShape(input.shape, axes, keepDims)];
      if (input.size > 0) return reshape(reduce(input, axes), shape); // it keeps no axis of integers on WebGPU
      return cast(fill(shape, ofNothing, "int32"), input.dtype);
    },
  };
}

function cumulative(accumulate: typeof cumsum): Kernel {
  return {
    reads: [1],
    compose([x], attrs, { 1: [axis = 0] = [] }) {
      const input = x as TfjsTensor; // it has two inputs
      const along = axisOf(attrs.op, axis, input.rank);
      return accumulate(input, along, attrs.bool("exclusive", false), attrs.bool("reverse", false));
    },
  };
}

function repeatMatrices(a: TfjsTensor, b: TfjsTensor, batch: number[]): [TfjsTensor, TfjsTensor] {
  const repeat = (matrices: TfjsTensor) => broadcastTo(matrices, [...batch, ...matrices.shape.slice(-2)]);
  return [repeat(a), repeat(b)];
}

function counted(x: TfjsTensor, weights: TfjsTensor, size: number, isBinary: boolean): TfjsTensor {
  // Vectors or rows of them: the op takes no others.
  return denseBincount(
    x as Parameters<typeof denseBincount>[0],
    weights as Parameters<typeof denseBincount>[1],
    size,
    isBinary,
  );
}
