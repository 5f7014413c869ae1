import { bincount, denseBincount, euclideanNorm, type Tensor as TfjsTensor } from "@tensorflow/tfjs-core";
import { bindKernel } from "../plan/device.ts";
import type { DirectOp, Ops } from "../plan/op.ts";
import { inputAt, kernelOp, valuesAt } from "./direct.ts";

/** Sums, means and the like over axes, and along one. */
export const reductionOps: Ops = {
  All: reduceOp("All"),
  Any: reduceOp("Any"),
  Max: reduceOp("Max"),
  Mean: reduceOp("Mean"),
  Min: reduceOp("Min"),
  Prod: reduceOp("Prod"),
  Sum: reduceOp("Sum"),
  ArgMax: argOp("ArgMax"),
  ArgMin: argOp("ArgMin"),
  Cumsum: cumulateOp("Cumsum"),
  Cumprod: cumulateOp("Cumprod"),
  Softmax: kernelOp("Softmax", (run) => (inputs) => {
    const logits = inputAt(inputs, 0);
    return run({ logits }, { dim: logits.shape.length - 1 });
  }),
  LogSoftmax: kernelOp("LogSoftmax", (run) => (inputs) => {
    const logits = inputAt(inputs, 0);
    return run({ logits }, { axis: logits.shape.length - 1 });
  }),
  EuclideanNorm: {
    reads: [1],
    compose: ([x], attrs, { 1: axes = [] }) =>
      euclideanNorm(x as TfjsTensor, [...axes], attrs.bool("keep_dims", false)),
  },
  Bincount: {
    reads: [1],
    compose: ([x, , weights], _, { 1: [size = 0] = [] }) => bincount(x as never, weights as never, size) as TfjsTensor, // tensors of rank 1
  },
  DenseBincount: {
    reads: [1],
    compose: ([x, , weights], attrs, { 1: [size = 0] = [] }) =>
      denseBincount(x as never, weights as never, size, attrs.bool("binary_output", false)) as TfjsTensor, // rank 1 or 2
  },
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
        const axis = valuesAt(values, 1).map((each) => (each < 0 ? each + rank : each));
        if (axis.length === 0) return reshape({ x }, { shape: x.shape });
        // The kernel of Max knows the axes by another name than all the others.
        const kernelAttrs = { axis, reductionIndices: axis, keepDims };
        if (x.dtype !== "bool" || kernel === "All" || kernel === "Any") return run({ x }, kernelAttrs);
        const numbers = cast({ x }, { dtype: "int32" });
        const result = run({ x: numbers }, kernelAttrs);
        device.backend.disposeData(numbers.dataId);
        return result;
      };
    },
  };
}

function argOp(kernel: string): DirectOp {
  const start = (values: readonly number[]) => values[0] ?? 0;
  return kernelOp(
    kernel,
    (run) => (inputs, values) => run({ x: inputAt(inputs, 0) }, { axis: start(valuesAt(values, 1)) }),
    [1],
  );
}

function cumulateOp(kernel: string): DirectOp {
  return kernelOp(
    kernel,
    (run, attrs) => {
      const [exclusive, reverse] = [attrs.bool("exclusive", false), attrs.bool("reverse", false)];
      return (inputs, values) => {
        const [axis = 0] = valuesAt(values, 1);
        return run({ x: inputAt(inputs, 0) }, { axis, exclusive, reverse });
      };
    },
    [1],
  );
}
