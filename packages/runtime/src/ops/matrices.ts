import { type TensorInfo, type Tensor as TfjsTensor, transpose, util } from "@tensorflow/tfjs-core";
import { checkProduct } from "../kernels/check-product.ts";
import { valuesAt } from "../kernels/kernel-attrs.ts";
import { invalid } from "../kernels/plain-tensors.ts";
import { compose } from "../plan/composed.ts";
import type { BoundKernel } from "../plan/device.ts";
import type { DirectOp, Ops } from "../plan/op.ts";
import { checkVector, inputAt, kernelOp, viewed } from "./direct.ts";

/** Products of matrices, and transposition. */
export const matrixOps: Ops = {
  MatMul: productOp("transpose_a", "transpose_b"),
  BatchMatMul: productOp("adj_x", "adj_y"),
  BatchMatMulV3: productOp("adj_x", "adj_y"),
  _FusedMatMul: fusedProductOp(),
  Transpose: transposeOp(),
};

function productOp(first: string, second: string): DirectOp {
  return kernelOp("BatchMatMul", (run, attrs) => {
    const kernelAttrs = { transposeA: attrs.bool(first, false), transposeB: attrs.bool(second, false) };
    return (inputs) => {
      const [a, b] = [inputAt(inputs, 0), inputAt(inputs, 1)];
      checkProduct(attrs.op, a, b, kernelAttrs);
      return run({ a, b }, kernelAttrs);
    };
  });
}

/** A product with a bias, an activation, or both; `fused_ops` names them, NoOp for no bias. Kernels take rank 3 only. */
function fusedProductOp(): DirectOp {
  return kernelOp("_FusedMatMul", (run, attrs) => {
    const fused = attrs.texts("fused_ops").map((name) => name.toLowerCase());
    const hasBias = fused[0] === "biasadd";
    const kernelAttrs = {
      transposeA: attrs.bool("transpose_a", false),
      transposeB: attrs.bool("transpose_b", false),
      activation: fused[1] ?? "linear",
      leakyreluAlpha: attrs.float("leakyrelu_alpha", 0.2),
    };
    return (inputs) => {
      const [a, b] = [inputAt(inputs, 0), inputAt(inputs, 1)];
      checkProduct(attrs.op, a, b, kernelAttrs);
      const [bias, preluActivationWeights] = hasBias ? [inputs[2], inputs[3]] : [undefined, inputs[2]];
      const columns = b.shape.at(kernelAttrs.transposeB ? -2 : -1);
      checkVector("_FusedMatMul", bias, columns);
      if (preluActivationWeights?.shape[0] !== 1) checkVector("_FusedMatMul", preluActivationWeights, columns);
      const operands = { a: asBatch(a), b: asBatch(b), bias, preluActivationWeights };
      const { dataId, shape, dtype } = run(operands as Parameters<BoundKernel>[0], kernelAttrs);
      return { dataId, dtype, shape: [...outerShape(a, b), ...shape.slice(-2)] };
    };
  });
}

function asBatch(x: TensorInfo): TensorInfo {
  const matrix = x.shape.slice(-2);
  return viewed(x, [util.sizeFromShape(x.shape.slice(0, -2)), ...matrix]);
}

/** The batch of a product: that of the operand which has more of it. */
function outerShape(a: TensorInfo, b: TensorInfo): number[] {
  return (a.shape.length >= b.shape.length ? a : b).shape.slice(0, -2);
}

/** The axes, counted from the front. Any others would be read, and written, beyond their end. */
function permutationOf(axes: readonly number[], shape: readonly number[]): number[] {
  const perm = axes.map((axis) => (axis < 0 ? axis + shape.length : axis));
  if (perm.length === shape.length && shape.every((_, axis) => perm.includes(axis))) return perm;
  throw invalid("Transpose", `expected each axis of [${shape}] once, got [${axes}]`);
}

function transposeOp(): DirectOp {
  return kernelOp(
    "Transpose",
    (run, _, device) => (inputs, values) => {
      const x = inputAt(inputs, 0);
      const perm = permutationOf(valuesAt(values, 1), x.shape);
      if (x.dtype === "complex64") return compose(device, [x], ([input]) => transpose(input as TfjsTensor, perm));
      return run({ x }, { perm });
    },
    [1],
  );
}
