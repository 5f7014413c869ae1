import {
  cast,
  localResponseNormalization,
  lowerBound,
  setdiff1dAsync,
  sparse,
  string,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  type Tensor as TfjsTensor,
  topk,
  upperBound,
  whereAsync,
} from "@tensorflow/tfjs-core";
import type { DirectOp, Ops } from "../plan/op.ts";
import { inputAt, kernelOp } from "./direct.ts";

/** Ops that search, sort, normalise or transform a tensor as a whole. */
export const collectionOps: Ops = {
  FusedBatchNorm: batchNormOp(),
  FusedBatchNormV2: batchNormOp(),
  FusedBatchNormV3: batchNormOp(),
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
      const { values, indices } = topk(x as TfjsTensor, k, attrs.bool("sorted", true)); // it has two inputs
      return [values, indices];
    },
  },
  LowerBound: { compose: ([sorted, values]) => lowerBound(sorted as TfjsTensor, values as TfjsTensor) },
  UpperBound: { compose: ([sorted, values]) => upperBound(sorted as TfjsTensor, values as TfjsTensor) },
  Where: {
    async await([condition]) {
      const isTrue = cast(condition as TfjsTensor, "bool"); // it has one input
      try {
        return [await whereAsync(isTrue)];
      } finally {
        isTrue.dispose();
      }
    },
  },
  ListDiff: { await: ([x, y]) => setdiff1dAsync(x as TfjsTensor, y as TfjsTensor) },
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
};

function batchNormOp(): DirectOp {
  return kernelOp("FusedBatchNorm", (run, attrs) => {
    const varianceEpsilon = attrs.float("epsilon", 0.001);
    return (inputs) => {
      const [x, scale, offset, mean, variance] = [0, 1, 2, 3, 4].map((at) => inputAt(inputs, at));
      return run({ x, scale, offset, mean, variance } as Parameters<typeof run>[0], { varianceEpsilon });
    };
  });
}
