import { InferenceError } from "@nearside/core";

/**
 * TensorFlow's element types: their number in protocol buffers and the bytes of one element in a checkpoint or a
 * constant (null: no fixed size, or none that is a whole number of bytes).
 */
export const dataTypes = {
  DT_FLOAT: { number: 1, bytes: 4 },
  DT_DOUBLE: { number: 2, bytes: 8 },
  DT_INT32: { number: 3, bytes: 4 },
  DT_UINT8: { number: 4, bytes: 1 },
  DT_INT16: { number: 5, bytes: 2 },
  DT_INT8: { number: 6, bytes: 1 },
  DT_STRING: { number: 7, bytes: null },
  DT_COMPLEX64: { number: 8, bytes: 8 },
  DT_INT64: { number: 9, bytes: 8 },
  DT_BOOL: { number: 10, bytes: 1 },
  DT_QINT8: { number: 11, bytes: 1 },
  DT_QUINT8: { number: 12, bytes: 1 },
  DT_QINT32: { number: 13, bytes: 4 },
  DT_BFLOAT16: { number: 14, bytes: 2 },
  DT_QINT16: { number: 15, bytes: 2 },
  DT_QUINT16: { number: 16, bytes: 2 },
  DT_UINT16: { number: 17, bytes: 2 },
  DT_COMPLEX128: { number: 18, bytes: 16 },
  DT_HALF: { number: 19, bytes: 2 },
  DT_RESOURCE: { number: 20, bytes: null },
  DT_VARIANT: { number: 21, bytes: null },
  DT_UINT32: { number: 22, bytes: 4 },
  DT_UINT64: { number: 23, bytes: 8 },
  DT_FLOAT8_E5M2: { number: 24, bytes: 1 },
  DT_FLOAT8_E4M3FN: { number: 25, bytes: 1 },
  DT_FLOAT8_E4M3FNUZ: { number: 26, bytes: 1 },
  DT_FLOAT8_E4M3B11FNUZ: { number: 27, bytes: 1 },
  DT_FLOAT8_E5M2FNUZ: { number: 28, bytes: 1 },
  DT_INT4: { number: 29, bytes: null },
  DT_UINT4: { number: 30, bytes: null },
  DT_INT2: { number: 31, bytes: null },
  DT_UINT2: { number: 32, bytes: null },
  DT_FLOAT4_E2M1FN: { number: 33, bytes: null },
  DT_INVALID: { number: 0, bytes: null },
} as const;

/** The name of a TensorFlow element type. */
export type DataType = keyof typeof dataTypes;

/** The element type with this number; reference types (number + 100, TF1 variables) count as what they refer to. */
export function dataTypeFromNumber(number: number): DataType {
  const plain = number > 100 ? number - 100 : number;
  const name = names.get(plain);
  if (name !== undefined) return name;
  const message = `dtype ${number}: expected a number of TensorFlow's DataType up to 33; a newer TensorFlow wrote this`;
  throw new InferenceError("unsupported", message);
}

const names: ReadonlyMap<number, DataType> = new Map(
  Object.entries(dataTypes).map(([name, { number }]) => [number, name as DataType]), // Object.entries widens to string
);
