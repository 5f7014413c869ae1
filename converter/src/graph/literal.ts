import { elementCount } from "@nearside/core";
import type { DataType } from "./data-type.ts";
import type { LiteralValue } from "./graph.ts";

/** The numbers of a literal, `undefined` where they aren't of a dtype that is computed in or are too large for one. */
export function numbersOf({ dtype, data }: LiteralValue): readonly number[] | undefined {
  if (!(data instanceof Uint8Array)) return undefined;
  const numbers = numberTypes[dtype]?.read(new Uint8Array(data).buffer);
  return numbers?.every((number) => dtype !== "DT_INT64" || Number.isSafeInteger(number)) ? numbers : undefined;
}

/** The literal with these numbers, rounded to float32 where that is the dtype; `undefined` where it can't hold one. */
export function literal(
  dtype: DataType,
  shape: readonly number[],
  numbers: readonly number[],
): LiteralValue | undefined {
  const type = numberTypes[dtype];
  if (type === undefined || !numbers.every(type.holds) || numbers.length !== elementCount(shape)) return undefined;
  const { buffer } = type.write(numbers);
  return { kind: "literal", dtype, shape, data: new Uint8Array(buffer) };
}

/** A one-dimensional int32. */
export function int32List(numbers: readonly number[]): LiteralValue {
  return { kind: "literal", dtype: "DT_INT32", shape: [numbers.length], data: toBytes(Int32Array.from(numbers)) };
}

interface NumberType {
  read(buffer: ArrayBuffer): number[];
  holds(number: number): boolean;
  write(numbers: readonly number[]): { readonly buffer: ArrayBuffer };
}

/** The dtypes that constants are computed in. */
const numberTypes: Partial<Record<DataType, NumberType>> = {
  DT_FLOAT: {
    read: (buffer) => [...new Float32Array(buffer)],
    holds: () => true,
    write: (numbers) => Float32Array.from(numbers),
  },
  DT_INT32: {
    read: (buffer) => [...new Int32Array(buffer)],
    holds: (number) => number === (number | 0),
    write: (numbers) => Int32Array.from(numbers),
  },
  DT_INT64: {
    read: (buffer) => Array.from(new BigInt64Array(buffer), Number),
    holds: (number) => Number.isSafeInteger(number),
    write: (numbers) => BigInt64Array.from(numbers, BigInt),
  },
};

function toBytes({ buffer }: { readonly buffer: ArrayBuffer }): Uint8Array {
  return new Uint8Array(buffer);
}
