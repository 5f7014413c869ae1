import {
  broadcastTo,
  type DataType,
  fill,
  linspace,
  multinomial,
  ones,
  randomStandardNormal,
  randomUniform,
  randomUniformInt,
  range,
  type Tensor2D,
  type Tensor as TfjsTensor,
  tensor,
  truncatedNormal,
  zeros,
} from "@tensorflow/tfjs-core";
import type { KernelAttrs } from "../kernels/kernel-attrs.ts";
import type { Ops } from "../plan/op.ts";
import { computedType } from "./direct.ts";

/** Ops that give other values each time. */
export const randomOps: ReadonlySet<string> = new Set(["RandomStandardNormal", "RandomUniform", "RandomUniformInt"])
  .add("TruncatedNormal")
  .add("Multinomial");

/** Ops that make tensors of a shape, of a range, or at random. Random ones follow no seed of the model's. */
export const creationOps: Ops = {
  Fill: {
    reads: [0],
    compose: ([, value], _, { 0: shape = [] }) => filled([...shape], value as TfjsTensor), // it has two inputs
  },
  Zeros: { reads: [0], compose: (_, attrs, { 0: shape = [] }) => zeros([...shape], numeric(attrs, "T")) },
  Ones: { reads: [0], compose: (_, attrs, { 0: shape = [] }) => ones([...shape], numeric(attrs, "T")) },
  Range: {
    reads: [0, 1, 2],
    compose: (_, attrs, { 0: [start = 0] = [], 1: [stop = 0] = [], 2: [step = 1] = [] }) =>
      range(start, stop, step, numeric(attrs, "Tidx") as "int32"),
  },
  LinSpace: {
    reads: [0, 1, 2],
    compose: (_, __, { 0: [start = 0] = [], 1: [stop = 0] = [], 2: [count = 1] = [] }) => linspace(start, stop, count),
  },
  RandomStandardNormal: {
    reads: [0],
    compose: (_, attrs, { 0: shape = [] }) => randomStandardNormal([...shape], numeric(attrs, "dtype") as "float32"),
  },
  RandomUniform: {
    reads: [0],
    compose: (_, attrs, { 0: shape = [] }) => randomUniform([...shape], 0, 1, numeric(attrs, "dtype")),
  },
  RandomUniformInt: {
    reads: [0, 1, 2],
    compose: (_, __, { 0: shape = [], 1: [least = 0] = [], 2: [end = 1] = [] }) =>
      randomUniformInt([...shape], least, end),
  },
  TruncatedNormal: {
    reads: [0],
    compose: (_, attrs, { 0: shape = [] }) => truncatedNormal([...shape], 0, 1, numeric(attrs, "dtype") as "float32"),
  },
  Multinomial: {
    reads: [1],
    compose: ([logits], _, { 1: [samples = 1] = [] }) => multinomial(logits as Tensor2D, samples),
  },
};

/** One value, everywhere. Strings are at hand on every device. */
function filled(shape: number[], value: TfjsTensor): TfjsTensor {
  if (shape.includes(0)) return tensor([], shape, value.dtype);
  if (value.dtype !== "string") return broadcastTo(value, shape);
  return fill(shape, value.dataSync<"string">()[0] as unknown as string, "string"); // its types have no strings
}

function numeric(attrs: KernelAttrs, name: string): Exclude<DataType, "string" | "complex64"> {
  return computedType(attrs.type(name, "DT_FLOAT")) as "float32"; // TensorFlow has these ops of numbers only
}
