import type { Tensor } from "@nearside/core";
import {
  add,
  broadcastTo,
  cast,
  concat,
  mul,
  oneHot,
  reshape,
  scalar,
  scatterND,
  slice,
  sub,
  type Tensor as TfjsTensor,
  tensor,
  tensorScatterUpdate,
  transpose,
} from "@tensorflow/tfjs-core";
import { broadcastShape } from "./broadcast.ts";
import { choose } from "./choose.ts";
import type { Kernel, Kernels } from "./kernel.ts";
import { axisOf, int32Tensor, invalid, numbersOf, pick, sizeOf } from "./plain-tensors.ts";

/** A copy of the tensor with `updates` at `indices`; TensorFlow.js on cpu writes them into its input. */
const scatterUpdate: Kernel = {
  compose([copied, indices, updates]) {
    const [x, at, values] = [copied as TfjsTensor, indices as TfjsTensor, updates as TfjsTensor]; // it has three
    const dtype = x.dtype === "bool" ? "int32" : x.dtype;
    const copy = mul(cast(x, dtype), scalar(1, dtype));
    return cast(tensorScatterUpdate(copy, cast(at, "int32"), cast(values, dtype)), x.dtype);
  },
};

/** Ops that move elements about, or write some of them anew. */
export const arrangeKernels: Kernels = {
  /** The axes along which each of two shapes is repeated when they are broadcast together. */
  BroadcastGradientArgs: {
    compute([left, right]) {
      const [a, b] = [numbersOf(left), numbersOf(right)];
      const rank = Math.max(a.length, b.length);
      const axes = Array.from({ length: rank }, (_, axis) => axis);
      const sizeAt = (shape: readonly number[], axis: number) => shape[axis - rank + shape.length] ?? 1;
      const isSame = String(a) === String(b); // then nothing is repeated, not even a 1
      const repeated = (shape: readonly number[]) => (isSame ? [] : axes.filter((axis) => sizeAt(shape, axis) === 1));
      return [a, b].map((shape) => int32Tensor([repeated(shape).length], repeated(shape)));
    },
  },
  /** [b, h, w, c] to [b, h/n, w/n, n·n·c]: each block of n × n pixels becomes one pixel's channels. NCHW likewise. */
  SpaceToDepth: ofImages((images, block) => {
    const [batch = 0, height = 0, width = 0, channels = 0] = images.shape;
    const [rows, columns] = [height / block, width / block];
    if (!Number.isInteger(rows) || !Number.isInteger(columns)) {
      throw invalid("SpaceToDepth", `expected a multiple of ${block} × ${block} pixels, got ${height} × ${width}`);
    }
    const split = reshape(images, [batch, rows, block, columns, block * channels]);
    return reshape(transpose(split, [0, 1, 3, 2, 4]), [batch, rows, columns, block * block * channels]);
  }),
  /** The inverse: [b, h, w, n·n·c] to [b, h·n, w·n, c], of any dtype, where TensorFlow.js takes float32. */
  DepthToSpace: ofImages((images, block) => {
    const [batch = 0, height = 0, width = 0, depth = 0] = images.shape;
    const channels = depth / block ** 2;
    if (!Number.isInteger(channels)) {
      throw invalid("DepthToSpace", `expected a multiple of ${block ** 2} channels, got ${depth}`);
    }
    const split = reshape(images, [batch * height, width, block, block * channels]);
    return reshape(transpose(split, [0, 2, 1, 3]), [batch, height * block, width * block, channels]);
  }),
  /** Repeats axes of size 1, and new ones in front, up to a shape; TensorFlow.js makes a dimension of 0 into 1. */
  BroadcastTo: {
    reads: [1],
    compose([x], { op }, { 1: sizes = [] }) {
      const input = x as TfjsTensor; // it has two inputs
      if (String(broadcastShape(op, input.shape, sizes)) !== String(sizes)) {
        throw invalid(op, `expected a shape that [${input.shape}] can be broadcast to, got [${sizes}]`);
      }
      return sizes.includes(0) ? tensor([], [...sizes], input.dtype) : broadcastTo(input, [...sizes]);
    },
  },
  /**
   * `on` where the index is the place along a new axis of `depth`, `off` elsewhere; the dtype is theirs. TensorFlow.js
   * on wasm writes integers, whatever the dtype.
   */
  OneHot: {
    reads: [1],
    compose([indices, , on, off], attrs, { 1: [depth = 0] = [] }) {
      const index = indices as TfjsTensor; // it has four inputs
      const hot = cast(oneHot(cast(index, "int32"), depth, 1, 0, "int32"), "bool");
      const result = choose(attrs.op, hot, on as TfjsTensor, off as TfjsTensor);
      const axis = attrs.int("axis", -1);
      if (axis < -1 || axis > index.rank) throw invalid("OneHot", `axis ${axis} is outside [-1, ${index.rank}]`);
      if (axis < 0 || axis === index.rank) return result;
      const axes = index.shape.map((_, each) => each);
      return transpose(result, [...axes.slice(0, axis), index.rank, ...axes.slice(axis)]);
    },
  },
  /** Shifts elements along axes, those that fall off the end coming in at the start. Shift and axis: scalars or [n]. */
  Roll: {
    reads: [1, 2],
    compose([x], _, { 1: shifts = [], 2: axes = [] }) {
      if (shifts.length !== axes.length) throw invalid("Roll", `${shifts.length} shifts and ${axes.length} axes`);
      return axes.reduce((current, axis, index) => rollAxis(current, shifts[index] ?? 0, axis), x as TfjsTensor);
    },
  },
  /** Reverses, in each element of axis `batch_dim`, the first seq_lengths[i] elements along `seq_dim`. */
  ReverseSequence: {
    compute([x, lengths], attrs) {
      const { shape } = x as Tensor; // it has two inputs
      const [sequence, batch] = [attrs.int("seq_dim", 0), attrs.int("batch_dim", 0)];
      const [along, across] = [stridesOf(shape)[sequence] ?? 1, stridesOf(shape)[batch] ?? 1];
      const reversed = numbersOf(lengths);
      const most = shape[sequence] ?? 0;
      if (reversed.length !== shape[batch] || reversed.some((length) => length < 0 || length > most)) {
        throw invalid("ReverseSequence", `expected ${shape[batch]} lengths from 0 to ${most}, got [${reversed}]`);
      }
      const places = Array.from({ length: sizeOf(shape) }, (_, index) => {
        const at = Math.floor(index / along) % (shape[sequence] ?? 1);
        const length = reversed[Math.floor(index / across) % (shape[batch] ?? 1)] ?? 0;
        return at < length ? index + (length - 1 - 2 * at) * along : index;
      });
      return pick(x as Tensor, shape, places);
    },
  },
  /** y[x[i]] = i, for a permutation x of 0 … n − 1. */
  InvertPermutation: {
    compute([x]) {
      const permutation = numbersOf(x);
      const inverse = new Array<number>(permutation.length).fill(-1);
      for (const [index, target] of permutation.entries()) inverse[target] = index;
      if (inverse.length !== permutation.length || inverse.includes(-1)) {
        throw invalid("InvertPermutation", `expected a permutation, got ${permutation.join(", ")}`);
      }
      return int32Tensor([inverse.length], inverse);
    },
  },
  // The converter writes ours: of the other, TensorFlow.js on cpu writes into its input.
  TensorScatterUpdate: scatterUpdate,
  NearsideTensorScatterUpdate: scatterUpdate,
  /** tensor[indices[i]] += updates[i], on a copy; an index that occurs twice counts twice. */
  TensorScatterAdd: scatterOnto(add),
  TensorScatterSub: scatterOnto(sub),
};

/** Rearranges blocks of images [b, h, w, c]; those with channels first are turned to that, and back. */
function ofImages(rearrange: (images: TfjsTensor, block: number) => TfjsTensor): Kernel {
  return {
    compose([x], attrs) {
      const [images, block] = [x as TfjsTensor, attrs.int("block_size", 1)]; // it has one input
      if (attrs.text("data_format", "NHWC") !== "NCHW") return rearrange(images, block);
      return transpose(rearrange(transpose(images, [0, 2, 3, 1]), block), [0, 3, 1, 2]);
    },
  };
}

function scatterOnto(combine: (x: TfjsTensor, scattered: TfjsTensor) => TfjsTensor): Kernel {
  return {
    compose([base, indices, updates]) {
      const x = base as TfjsTensor; // it has three inputs
      return combine(x, scatterND(cast(indices as TfjsTensor, "int32"), updates as TfjsTensor, x.shape));
    },
  };
}

function rollAxis(x: TfjsTensor, shift: number, givenAxis: number): TfjsTensor {
  const axis = axisOf("Roll", givenAxis, x.rank);
  const size = x.shape[axis] ?? 0;
  const offset = size === 0 ? 0 : ((shift % size) + size) % size;
  if (offset === 0) return x;
  const part = (begin: number, length: number) =>
    slice(
      x,
      x.shape.map((_, each) => (each === axis ? begin : 0)),
      x.shape.map((whole, each) => (each === axis ? length : whole)),
    );
  return concat([part(size - offset, offset), part(0, size - offset)], axis);
}

function stridesOf(shape: readonly number[]): readonly number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
}
