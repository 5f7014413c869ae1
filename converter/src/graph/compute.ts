import { elementCount } from "@nearside/core";
import { applyElementwise, broadcastShapes, elementwise } from "./elementwise.ts";
import type { TensorValue } from "./graph.ts";
import { int32List, literal, numbersOf } from "./literal.ts";
import { transpose } from "./transpose.ts";

/**
 * The value of an elementwise op on values: a literal where they are small ones, or float32 that is computed when it is
 * written. `undefined` where it can't be computed so, or would be much larger than what it is computed from.
 */
export function compute(op: string, ...operands: readonly TensorValue[]): TensorValue | undefined {
  const [first] = operands;
  const shape = broadcastShapes(...operands.map((operand) => operand.shape));
  if (elementwise[op] === undefined || first === undefined || shape === undefined) return undefined;
  if (operands.some(({ dtype }) => dtype !== first.dtype)) return undefined;
  const count = elementCount(shape);
  const numbers = operands.map((operand) => smallNumbers(operand));
  if (count <= smallCount && numbers.every((list) => list !== undefined)) {
    const elements = operands.map((operand, index) => ({ shape: operand.shape, elements: numbers[index] ?? [] }));
    return literal(first.dtype, shape, applyElementwise(op, elements, shape, new Array<number>(count).fill(0)));
  }
  const largest = Math.max(...operands.map((operand) => elementCount(operand.shape)));
  return count > largest + smallCount ? undefined : computed(op, operands, shape);
}

/** The value with its axes in the order of `permutation`. */
export function transposeValue(value: TensorValue, permutation: readonly number[]): TensorValue | undefined {
  const shape = permutation.map((axis) => value.shape[axis] ?? 1);
  const numbers = smallNumbers(value);
  if (numbers === undefined) return computed("Transpose", [value, int32List(permutation)], shape);
  const elements = { shape: value.shape, elements: numbers };
  return literal(value.dtype, shape, transpose(elements, permutation, [...numbers]));
}

/** The numbers of a literal that is small enough to be computed with at once. */
export function smallNumbers(value: TensorValue): readonly number[] | undefined {
  return value.kind === "literal" && elementCount(value.shape) <= smallCount ? numbersOf(value) : undefined;
}

const smallCount = 4096;

/** A value is read anew for each op that it is an operand of, so a file could make one that takes forever. */
const maxOps = 64;

function computed(op: string, operands: readonly TensorValue[], shape: readonly number[]): TensorValue | undefined {
  const isFloat = operands[0]?.dtype === "DT_FLOAT";
  const value = { kind: "computed", dtype: "DT_FLOAT", shape, op, operands } as const;
  return isFloat && countOps(value) <= maxOps ? value : undefined;
}

function countOps(value: TensorValue): number {
  return value.kind === "computed" ? value.operands.reduce((sum, operand) => sum + countOps(operand), 1) : 0;
}
