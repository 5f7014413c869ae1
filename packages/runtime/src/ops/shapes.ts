import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import { valuesAt } from "../kernels/kernel-attrs.ts";
import { axisOf, invalid, sizeOf } from "../kernels/plain-tensors.ts";
import { bindKernel, type Device, makeTensor } from "../plan/device.ts";
import type { DirectOp, Ops, RunDirect } from "../plan/op.ts";
import { inputAt } from "./direct.ts";

/** Ops that ask for a shape or change it. The elements stay where they are. */
export const shapeOps: Ops = {
  Reshape: reshapeOp((shape, values) => {
    const wanted = valuesAt(values, 1);
    const [size, known] = [sizeOf(shape), sizeOf(wanted.filter((length) => length !== -1))];
    const found = wanted.map((length) => (length === -1 ? size / known : length));
    const isPossible = found.every((length) => Number.isInteger(length) && length >= 0) && sizeOf(found) === size;
    if (!isPossible)
      throw invalid("Reshape", `expected a shape of the ${size} elements of [${shape}], got [${wanted}]`);
    return found;
  }),
  EnsureShape: reshapeOp((shape) => shape),
  ExpandDims: reshapeOp((shape, values) => {
    const [axis = 0] = valuesAt(values, 1);
    const at = axis < 0 ? shape.length + 1 + axis : axis;
    if (!(at >= 0 && at <= shape.length)) throw invalid("ExpandDims", `there is no axis ${axis} to add to [${shape}]`);
    return [...shape.slice(0, at), 1, ...shape.slice(at)];
  }),
  Squeeze: {
    bind(attrs, device) {
      const run = bindKernel(device, "Reshape");
      const named = attrs.numbers("squeeze_dims").concat(attrs.numbers("axis"));
      return (inputs) => {
        const x = inputAt(inputs, 0);
        const axes = new Set(named.map((axis) => axisOf("Squeeze", axis, x.shape.length)));
        const wrong = [...axes].find((axis) => x.shape[axis] !== 1);
        if (wrong !== undefined) throw invalid("Squeeze", `expected axis ${wrong} to have length 1, got [${x.shape}]`);
        const shape = x.shape.filter((size, axis) => (axes.size === 0 ? size !== 1 : !axes.has(axis)));
        return run({ x }, { shape });
      };
    },
  },
  Shape: { bind: (_, device) => (inputs) => numbers(device, inputAt(inputs, 0).shape) },
  ShapeN: { bind: (_, device) => (inputs) => inputs.map(({ shape }) => numbers(device, shape)) },
  Size: { bind: (_, device) => (inputs) => scalar(device, util.sizeFromShape(inputAt(inputs, 0).shape)) },
  Rank: { bind: (_, device) => (inputs) => scalar(device, inputAt(inputs, 0).shape.length) },
};

function reshapeOp(shapeOf: (shape: number[], values: Parameters<RunDirect>[1]) => number[]): DirectOp {
  return {
    reads: [1],
    bind(_, device) {
      const run = bindKernel(device, "Reshape");
      return (inputs, values) => {
        const x = inputAt(inputs, 0);
        return run({ x }, { shape: shapeOf(x.shape, values) });
      };
    },
  };
}

function numbers(device: Device, values: readonly number[]): TensorInfo {
  return makeTensor(device, Int32Array.from(values), [values.length], "int32");
}

function scalar(device: Device, value: number): TensorInfo {
  return makeTensor(device, Int32Array.of(value), [], "int32");
}
