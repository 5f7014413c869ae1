import type { Tensor } from "@nearside/core";
import {
  bincount,
  broadcastArgs,
  euclideanNorm,
  localResponseNormalization,
  lowerBound,
  type Rank,
  reshape,
  sparse,
  string,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  type Tensor as TfjsTensor,
  topk,
  upperBound,
  zeros,
} from "@tensorflow/tfjs-core";
import type { Kernel, Kernels } from "./kernel.ts";
import { int32Tensor, pick, sizeOf } from "./plain-tensors.ts";

/** Ops that search, sort, count or normalise a tensor as a whole. */
export const collectionKernels: Kernels = {
  LRN: {
    compose: ([x], attrs) =>
      localResponseNormalization(
        x as Tensor4D,
        attrs.int("depth_radius", 5),
        attrs.float("bias", 1),
        attrs.float("alpha", 1),
        attrs.float("beta", 0.5),
      ),
  },
  TopKV2: {
    reads: [1],
    compose([x], attrs, { 1: [k = 1] = [] }) {
      const { dtype, shape } = x as TfjsTensor;
      if (shape.at(-1) === 0 && k === 0) return [zeros(shape, dtype as "float32"), zeros(shape, "int32")]; // wasm traps
      const { values, indices } = topk(x as TfjsTensor, k, attrs.bool("sorted", true)); // it has two inputs
      return [values, indices];
    },
  },
  LowerBound: search(lowerBound),
  UpperBound: search(upperBound),
  /** int32 [n, rank]: where the elements are that aren't 0. */
  Where: {
    compute([condition]) {
      const { shape, data } = condition as Tensor; // it has one input
      const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
      const places: number[] = [];
      for (let at = 0; at < data.length; at++) if (data[at] !== 0) places.push(at);
      const coordinates = places.flatMap((at) =>
        strides.map((stride, axis) => Math.floor(at / stride) % (shape[axis] ?? 1)),
      );
      return int32Tensor([places.length, shape.length], coordinates);
    },
  },
  /** The elements of x [n] that aren't in y [m], and their places in x. */
  ListDiff: {
    compute([x, y]) {
      const left = x as Tensor; // it has two inputs
      const others = new Set<unknown>(y?.data);
      const places = Array.from({ length: left.data.length }, (_, at) => at).filter((at) => !others.has(left.data[at]));
      return [pick(left, [places.length], places), int32Tensor([places.length], places)];
    },
  },
  SparseSegmentMean: {
    compose: ([data, indices, ids]) =>
      sparse.sparseSegmentMean(data as TfjsTensor, indices as Tensor1D, ids as Tensor1D),
  },
  SparseSegmentSum: {
    compose: ([data, indices, ids]) =>
      sparse.sparseSegmentSum(data as TfjsTensor, indices as Tensor1D, ids as Tensor1D),
  },
  StringToHashBucketFast: {
    compose: ([input], attrs) => string.stringToHashBucketFast(input as Tensor2D, attrs.int("num_buckets", 1)),
  },
  EuclideanNorm: {
    reads: [1],
    compose: ([x], attrs, { 1: axes = [] }) =>
      euclideanNorm(x as TfjsTensor, [...axes], attrs.bool("keep_dims", false)),
  },
  Bincount: {
    reads: [1],
    compose([x, , weights], _, { 1: [size = 0] = [] }) {
      const [values, weighted] = [x, weights].map((tensor) =>
        reshape<Rank.R1>(tensor as TfjsTensor, [tensor?.size ?? 0]),
      );
      return bincount(values as Tensor1D, weighted as Tensor1D, size); // it has three inputs
    },
  },
  BroadcastArgs: { compose: ([a, b]) => broadcastArgs(a as TfjsTensor, b as TfjsTensor) as TfjsTensor },
};

/** Places in ascending rows. TensorFlow.js takes no empty ones. */
function search(find: typeof lowerBound): Kernel {
  return {
    compose([sorted, values]) {
      const [rows, sought] = [sorted as TfjsTensor, values as TfjsTensor]; // it has two inputs
      return rows.size === 0 || sought.size === 0 ? zeros(sought.shape, "int32") : find(rows, sought);
    },
  };
}
