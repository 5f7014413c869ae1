import type { Tensor } from "@nearside/core";
import type { JsonAttrs } from "./run-op.ts";

/** A random op, and what is known of what it gives. */
export interface RandomOp {
  readonly op: string;
  /** What the case is about, where the op's name doesn't say it. */
  readonly about?: string;
  readonly attrs?: JsonAttrs;
  readonly inputs: readonly Tensor[];
  readonly output: Pick<Tensor, "dtype" | "shape">;
  readonly isPossible: (value: number) => boolean;
  /** Mean and standard deviation of the elements. */
  readonly mean: number;
  readonly deviation: number;
}

const count = 10_000;
const [rows, columns] = [100, count / 100];

const int32 = (shape: readonly number[], ...values: number[]): Tensor => ({
  dtype: "int32",
  shape,
  data: Int32Array.from(values),
});
const float32 = (shape: readonly number[], ...values: number[]): Tensor => ({
  dtype: "float32",
  shape,
  data: Float32Array.from(values),
});

const shape = int32([2], rows, columns);
const attrs = { dtype: { type: "DT_FLOAT" } };
const floats = { dtype: "float32", shape: [rows, columns] } as const;
const integers = { dtype: "int32", shape: [rows, columns] } as const;

/** Of 10 000 elements each. */
export const randomOps: readonly RandomOp[] = [
  {
    op: "RandomStandardNormal",
    attrs,
    inputs: [shape],
    output: floats,
    isPossible: Number.isFinite,
    mean: 0,
    deviation: 1,
  },
  {
    op: "TruncatedNormal",
    attrs,
    inputs: [shape],
    output: floats,
    isPossible: (value) => Math.abs(value) <= 2,
    mean: 0,
    deviation: 0.8796257, // of a normal distribution within two standard deviations
  },
  {
    op: "RandomUniform",
    about: "of which none rounds to 1",
    attrs,
    inputs: [shape],
    output: floats,
    isPossible: (value) => value >= 0 && value < 1 && Number.isInteger(value * 2 ** 24),
    mean: 0.5,
    deviation: Math.sqrt(1 / 12),
  },
  {
    op: "RandomUniformInt",
    about: "of negative numbers, too, of which TensorFlow.js makes 0",
    inputs: [shape, int32([], -1), int32([], 2)],
    output: integers,
    isPossible: (value) => [-1, 0, 1].includes(value),
    mean: 0,
    deviation: Math.sqrt(2 / 3),
  },
  {
    op: "RandomUniformInt",
    about: "of two numbers",
    inputs: [shape, int32([], 0), int32([], 2)],
    output: integers,
    isPossible: (value) => [0, 1].includes(value),
    mean: 0.5,
    deviation: 0.5,
  },
  {
    op: "Multinomial",
    about: "of one class that can't be and two that can",
    inputs: [
      float32([2, 3], Number.NEGATIVE_INFINITY, 0, Math.log(3), Number.NEGATIVE_INFINITY, 5, 5 + Math.log(3)),
      int32([], count / 2),
    ],
    output: { dtype: "int32", shape: [2, count / 2] },
    isPossible: (value) => [1, 2].includes(value),
    mean: 1.75,
    deviation: Math.sqrt(3) / 4,
  },
];
