import type { TensorInfo } from "@tensorflow/tfjs-core";
import { valuesAt } from "../kernels/kernel-attrs.ts";
import { axisOf, invalid, reducedShape, sizeOf } from "../kernels/plain-tensors.ts";
import { checkChannelsLast } from "../kernels/windows.ts";
import { bindKernel, makeTensor } from "../plan/device.ts";
import type { DirectOp, Ops } from "../plan/op.ts";
import { inputAt, kernelOp } from "./direct.ts";

/** Sums, means and the like over axes, and what normalises along one. */
export const reductionOps: Ops = {
  Max: reduceOp("Max"),
  Mean: reduceOp("Mean"),
  Min: reduceOp("Min"),
  Sum: reduceOp("Sum"),
  Softmax: kernelOp("Softmax", (run) => (inputs) => {
    const logits = inputAt(inputs, 0);
    if (logits.shape.length === 0) throw invalid("Softmax", "expected a vector, or several, got a scalar");
    return run({ logits }, { dim: logits.shape.length - 1 });
  }),
  FusedBatchNorm: batchNormOp(),
  FusedBatchNormV2: batchNormOp(),
  FusedBatchNormV3: batchNormOp(),
};

/** What comes of no elements; TensorFlow.js on wasm gives what was in memory. */
const ofNothing: Readonly<Record<string, number>> = {
  Max: Number.NEGATIVE_INFINITY,
  Mean: Number.NaN,
  Min: Number.POSITIVE_INFINITY,
  Sum: 0,
};

function reduceOp(kernel: string): DirectOp {
  return {
    reads: [1],
    bind(attrs, device) {
      const run = bindKernel(device, kernel);
      const reshape = bindKernel(device, "Reshape");
      const cast = bindKernel(device, "Cast");
      const keepDims = attrs.bool("keep_dims", false);
      return (inputs, values) => {
        const x = inputAt(inputs, 0);
        const { length: rank } = x.shape;
        const axis = valuesAt(values, 1).map((each) => axisOf(kernel, each, rank));
        if (axis.length === 0) return reshape({ x }, { shape: x.shape });
        if (axis.some((each) => x.shape[each] === 0) && (x.dtype === "float32" || x.dtype === "int32")) {
          const shape = reducedShape(x.shape, axis, keepDims);
          const value = ofNothing[kernel] ?? 0;
          const count = sizeOf(shape);
          if (x.dtype === "float32") return makeTensor(device, new Float32Array(count).fill(value), shape, "float32");
          const integer = Math.max(-(2 ** 31), Math.min(value, 2 ** 31 - 1));
          return makeTensor(device, new Int32Array(count).fill(integer), shape, "int32");
        }
        // The kernel of Max knows the axes by another name than all the others.
        const kernelAttrs = { axis, reductionIndices: axis, keepDims };
        if (x.dtype !== "bool") return run({ x }, kernelAttrs);
        const numbers = cast({ x }, { dtype: "int32" });
        const result = run({ x: numbers }, kernelAttrs);
        device.backend.disposeData(numbers.dataId);
        return result;
      };
    },
  };
}

function batchNormOp(): DirectOp {
  return kernelOp("FusedBatchNorm", (run, attrs) => {
    checkChannelsLast(attrs);
    const varianceEpsilon = attrs.float("epsilon", 0.001);
    return (inputs) => {
      const x = inputAt(inputs, 0);
      const channels = [1, 2, 3, 4].map((at) => inputAt(inputs, at));
      checkChannels(x, channels);
      const [scale, offset, mean, variance] = channels;
      return run({ x, scale, offset, mean, variance } as Parameters<typeof run>[0], { varianceEpsilon });
    };
  });
}

/** Vectors of other lengths would be repeated, or read beyond their ends. */
function checkChannels(x: TensorInfo, vectors: readonly TensorInfo[]): void {
  if (vectors.every(({ shape }) => shape.length === 1 && shape[0] === x.shape.at(-1))) return;
  const got = vectors.map(({ shape }) => `[${shape}]`).join(", ");
  throw invalid("FusedBatchNorm", `expected vectors of the channels of [${x.shape}], got ${got}`);
}
