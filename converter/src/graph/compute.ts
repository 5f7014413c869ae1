import { elementCount } from "@nearside/core";
import { applyElementwise, broadcastShapes, elementwise } from "./elementwise.ts";
import type { TensorValue } from "./graph.ts";
import { int32List, literal, numbersOf } from "./literal.ts";
import { copyStrided, joinAlong, stridesOf, sumOver, type Walk } from "./strided.ts";

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
  const strides = stridesOf(value.shape);
  const dims = permutation.map((axis) => value.shape[axis] ?? 1);
  return walkValue(value, { dims, strides: permutation.map((axis) => strides[axis] ?? 0), offset: 0 }, dims);
}

/** The elements of a value in the order of `walk`, in `shape`. */
export function walkValue(value: TensorValue, walk: Walk, shape: readonly number[]): TensorValue | undefined {
  const numbers = smallNumbers(value);
  const count = elementCount(shape);
  if (numbers !== undefined && count <= smallCount) {
    return literal(value.dtype, shape, copyStrided(numbers, walk, new Array<number>(count).fill(0)));
  }
  if (count > elementCount(value.shape) + smallCount) return undefined;
  const { dims, strides, offset } = walk;
  return computed("Walk", [value, int32List(dims), int32List(strides), int32List([offset])], shape);
}

/** The value's sums over `axes`, which go. */
export function sumValue(value: TensorValue, axes: readonly number[]): TensorValue | undefined {
  const shape = value.shape.filter((_, axis) => !axes.includes(axis));
  const numbers = smallNumbers(value);
  if (numbers === undefined) return computed("Sum", [value, int32List(axes)], shape);
  const into = new Array<number>(elementCount(shape)).fill(0);
  return literal(value.dtype, shape, sumOver({ shape: value.shape, elements: numbers }, axes, into));
}

/** The values one after another along `axis`. */
export function joinValues(values: readonly TensorValue[], axis: number): TensorValue | undefined {
  const [first] = values;
  if (first === undefined || values.some(({ dtype }) => dtype !== first.dtype)) return undefined;
  const isEqual = ({ shape }: TensorValue) =>
    shape.length === first.shape.length && shape.every((size, index) => index === axis || size === first.shape[index]);
  if (!values.every(isEqual)) return undefined;
  const shape = first.shape.with(
    axis,
    values.reduce((sum, value) => sum + (value.shape[axis] ?? 0), 0),
  );
  const numbers = values.map((value) => smallNumbers(value));
  const count = elementCount(shape);
  if (count > smallCount || !numbers.every((list) => list !== undefined)) {
    return computed("Join", [...values, int32List([axis])], shape);
  }
  const parts = values.map((value, index) => ({ shape: value.shape, elements: numbers[index] ?? [] }));
  return literal(first.dtype, shape, joinAlong(parts, axis, new Array<number>(count).fill(0)));
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
