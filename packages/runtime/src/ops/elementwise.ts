import { type TensorInfo, type Tensor as TfjsTensor, upcastType } from "@tensorflow/tfjs-core";
import { broadcastShape } from "../kernels/broadcast.ts";
import { choose } from "../kernels/choose.ts";
import type { KernelAttrs } from "../kernels/kernel-attrs.ts";
import { invalid } from "../kernels/plain-tensors.ts";
import { truncateDivide } from "../kernels/truncate-divide.ts";
import { checkChannelsLast } from "../kernels/windows.ts";
import { compose } from "../plan/composed.ts";
import { bindKernel, type Device } from "../plan/device.ts";
import type { DirectOp, Ops, RunDirect } from "../plan/op.ts";
import { complexArithmetic } from "./complex-arithmetic.ts";
import { inputAt, kernelOp, sameShape, viewed } from "./direct.ts";

/** Ops of one tensor, which kernels go by the same name. */
const unary = ["Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Cos", "Cosh", "Elu"]
  .concat([
    "Erf",
    "Exp",
    "Expm1",
    "Floor",
    "IsFinite",
    "IsInf",
    "IsNan",
    "Log",
    "Log1p",
    "LogicalNot",
    "Neg",
    "OnesLike",
  ])
  .concat([
    "Reciprocal",
    "Relu",
    "Relu6",
    "Round",
    "Rsqrt",
    "Selu",
    "Sigmoid",
    "Sign",
    "Sin",
    "Sinh",
    "Softplus",
    "Sqrt",
  ])
  .concat(["Square", "Tan", "Tanh", "ZerosLike"]);

/** Ops of two tensors that are broadcast, and their kernels. */
const binary: Readonly<Record<string, string>> = {
  Add: "Add",
  AddV2: "Add",
  Atan2: "Atan2",
  FloorMod: "Mod",
  Greater: "Greater",
  GreaterEqual: "GreaterEqual",
  Less: "Less",
  LessEqual: "LessEqual",
  LogicalAnd: "LogicalAnd",
  LogicalOr: "LogicalOr",
  Maximum: "Maximum",
  Minimum: "Minimum",
  Mul: "Multiply",
  Pow: "Pow",
  SquaredDifference: "SquaredDifference",
  Sub: "Sub",
};

/** Arithmetic, comparison and choice, element by element. */
export const elementwiseOps: Ops = {
  ...Object.fromEntries(unary.map((name) => [name, unaryOp(name)])),
  ...Object.fromEntries(Object.entries(binary).map(([op, kernel]) => [op, binaryOp(kernel)])),
  BiasAdd: {
    bind(attrs, device) {
      checkChannelsLast(attrs);
      return binaryRun(attrs.op, "Add", device);
    },
  },
  Real: kernelOp("Real", (run) => (inputs) => run({ input: inputAt(inputs, 0) })),
  Imag: kernelOp("Imag", (run) => (inputs) => run({ input: inputAt(inputs, 0) })),
  Complex: kernelOp("Complex", (run) => (inputs) => {
    checkAlike("Complex", inputs);
    return run({ real: inputAt(inputs, 0), imag: inputAt(inputs, 1) });
  }),
  Div: divideOp(),
  RealDiv: divideOp(),
  AddN: kernelOp("AddN", (run) => (inputs) => {
    checkAlike("AddN", inputs);
    return run(inputs);
  }),
  LeakyRelu: kernelOp("LeakyRelu", (run, attrs) => {
    const alpha = attrs.float("alpha", 0.2);
    return (inputs) => run({ x: inputAt(inputs, 0) }, { alpha });
  }),
  Prelu: kernelOp("Prelu", (run) => (inputs) => {
    const [x, alpha] = [inputAt(inputs, 0), inputAt(inputs, 1)];
    const isWithin = alpha.shape.every(
      (size, axis) => size === 1 || size === x.shape[axis - alpha.shape.length + x.shape.length],
    );
    if (isWithin && alpha.shape.length <= x.shape.length) return run({ x, alpha });
    throw invalid("Prelu", `expected a slope for [${x.shape}], got [${alpha.shape}]`);
  }),
  Select: { bind: selectRows },
  SelectV2: { bind: select },
};

/** Throws `invalid-argument` for tensors of several shapes: a smaller one would be read beyond its end. */
function checkAlike(op: string, inputs: readonly TensorInfo[]): void {
  const { shape } = inputAt(inputs, 0);
  const other = inputs.find((input) => !sameShape(input.shape, shape));
  if (other === undefined) return;
  throw invalid(op, `expected tensors of one shape, got [${shape}] and [${other.shape}]`);
}

function unaryOp(kernel: string): DirectOp {
  return kernelOp(kernel, (run) => (inputs) => run({ x: inputAt(inputs, 0) }));
}

function binaryOp(kernel: string): DirectOp {
  return { bind: ({ op }, device) => binaryRun(op, kernel, device) };
}

/** Two tensors of one dtype, or of the wider of theirs. */
function binaryRun(op: string, kernel: string, device: Device): RunDirect {
  const bound = bindKernel(device, kernel);
  const cast = bindKernel(device, "Cast");
  const ofParts = complexArithmetic[kernel];
  const run = (a: TensorInfo, b: TensorInfo) =>
    ofParts && a.dtype === "complex64"
      ? compose(device, [a, b], ([x, y]) => ofParts(x as TfjsTensor, y as TfjsTensor)) // the two
      : bound({ a, b });
  return (inputs) => {
    const [a, b] = [inputAt(inputs, 0), inputAt(inputs, 1)];
    if (!sameShape(a.shape, b.shape)) broadcastShape(op, a.shape, b.shape);
    if (a.dtype === b.dtype) return run(a, b);
    const dtype = upcastType(a.dtype, b.dtype);
    const both = [a, b].map((x) => cast({ x }, { dtype }));
    const result = run(inputAt(both, 0), inputAt(both, 1));
    for (const each of both) device.backend.disposeData(each.dataId);
    return result;
  };
}

/** Whole numbers are divided without the rest, towards 0. */
function divideOp(): DirectOp {
  return {
    bind({ op }, device) {
      const divide = binaryRun(op, "RealDiv", device);
      return (inputs, values) => {
        const [a, b] = [inputAt(inputs, 0), inputAt(inputs, 1)];
        if (a.dtype !== "int32") return divide(inputs, values);
        broadcastShape(op, a.shape, b.shape);
        return compose(device, [a, b], ([x, y]) => truncateDivide(x as TfjsTensor, y as TfjsTensor)); // the two
      };
    },
  };
}

/** `a` where the condition holds, else `b`, broadcast. */
function select({ op }: KernelAttrs, device: Device): RunDirect {
  const run = bindKernel(device, "Select");
  return (inputs) => {
    const [condition, t, e] = [inputAt(inputs, 0), inputAt(inputs, 1), inputAt(inputs, 2)];
    if (sameShape(t.shape, e.shape) && sameShape(condition.shape, t.shape)) return run({ condition, t, e });
    return compose(device, inputs, ([c, a, b]) => choose(op, c as TfjsTensor, a as TfjsTensor, b as TfjsTensor)); // it has three
  };
}

/** The same, but a condition of rank 1 chooses rows. */
function selectRows(attrs: KernelAttrs, device: Device): RunDirect {
  const choose = select(attrs, device);
  return ([condition, ...values], read) => {
    const rank = values[0]?.shape.length ?? 0;
    if (condition?.shape.length !== 1 || rank < 2) return choose([condition as TensorInfo, ...values], read);
    const rows = [...condition.shape, ...new Array<number>(rank - 1).fill(1)];
    return choose([viewed(condition, rows), ...values], read);
  };
}
