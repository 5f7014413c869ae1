import { InferenceError } from "@nearside/core";
import type { DataType } from "../graph/data-type.ts";

/** The element types of weights that TensorFlow.js reads, and their bytes per element (null for strings). */
export const weightDTypes = {
  float32: { bytes: 4, tensorflow: "DT_FLOAT" },
  int32: { bytes: 4, tensorflow: "DT_INT32" },
  bool: { bytes: 1, tensorflow: "DT_BOOL" },
  complex64: { bytes: 8, tensorflow: "DT_COMPLEX64" },
  string: { bytes: null, tensorflow: "DT_STRING" },
} as const satisfies Record<string, { bytes: number | null; tensorflow: DataType }>;

/** The name of an element type of weights. */
export type WeightDType = keyof typeof weightDTypes;

/** How a TensorFlow type is stored as a weight. */
interface Storage {
  readonly dtype: WeightDType;
  /** Turns elements, row-major and little-endian, into those of `dtype`; `where` names the tensor in errors. */
  convert(bytes: Uint8Array, where: string): Uint8Array;
}

const keep = (bytes: Uint8Array) => bytes;

/** Every TensorFlow type that a weight can be stored from. Types that aren't here have no storage. */
const storages: Partial<Record<DataType, Storage>> = {
  DT_FLOAT: { dtype: "float32", convert: keep },
  DT_DOUBLE: { dtype: "float32", convert: (bytes) => toBytes(new Float32Array(new Float64Array(aligned(bytes)))) },
  DT_HALF: { dtype: "float32", convert: (bytes) => toBytes(float32FromHalf(new Uint16Array(aligned(bytes)))) },
  DT_BFLOAT16: { dtype: "float32", convert: (bytes) => toBytes(bitsFromBfloat16(new Uint16Array(aligned(bytes)))) },
  DT_INT32: { dtype: "int32", convert: keep },
  DT_INT8: { dtype: "int32", convert: (bytes) => toBytes(new Int32Array(new Int8Array(aligned(bytes)))) },
  DT_UINT8: { dtype: "int32", convert: (bytes) => toBytes(new Int32Array(bytes)) },
  DT_INT16: { dtype: "int32", convert: (bytes) => toBytes(new Int32Array(new Int16Array(aligned(bytes)))) },
  DT_UINT16: { dtype: "int32", convert: (bytes) => toBytes(new Int32Array(new Uint16Array(aligned(bytes)))) },
  DT_UINT32: { dtype: "int32", convert: (bytes, where) => narrow(new Uint32Array(aligned(bytes)), where) },
  DT_INT64: { dtype: "int32", convert: (bytes, where) => narrow(new BigInt64Array(aligned(bytes)), where) },
  DT_UINT64: { dtype: "int32", convert: (bytes, where) => narrow(new BigUint64Array(aligned(bytes)), where) },
  DT_BOOL: { dtype: "bool", convert: keep },
  DT_COMPLEX64: { dtype: "complex64", convert: keep },
  DT_COMPLEX128: {
    dtype: "complex64",
    convert: (bytes) => toBytes(new Float32Array(new Float64Array(aligned(bytes)))),
  },
  DT_STRING: { dtype: "string", convert: keep },
};

/** How a value of this type is stored. Throws `unsupported`, naming `where`, for a type that can't be. */
export function storageOf(dtype: DataType, where: string): Storage {
  const storage = storages[dtype];
  if (storage !== undefined) return storage;
  const message = `${where}: TensorFlow.js has no weights of ${dtype}; cast it to float32 or int32 in the model`;
  throw new InferenceError("unsupported", message);
}

/** The type that TensorFlow.js computes in where TensorFlow has this one; types it doesn't know stay as they are. */
export function writtenDataType(dtype: DataType): DataType {
  const storage = storages[dtype];
  return storage === undefined || knownTypes.has(dtype) ? dtype : weightDTypes[storage.dtype].tensorflow;
}

/** The types that TensorFlow.js maps to its own by itself. */
const knownTypes: ReadonlySet<DataType> = new Set([
  "DT_FLOAT",
  "DT_HALF",
  "DT_DOUBLE",
  "DT_INT32",
  "DT_INT64",
  "DT_INT8",
  "DT_UINT8",
  "DT_BOOL",
  "DT_STRING",
  "DT_COMPLEX64",
  "DT_COMPLEX128",
]);

/** The least and the greatest int64 stand for "to the end" in slices and ranges, which the int32 ones do as well. */
const int64Ends: ReadonlyMap<bigint, number> = new Map([
  [2n ** 63n - 1n, 2 ** 31 - 1],
  [-(2n ** 63n), -(2 ** 31)],
]);

function narrow(values: BigInt64Array | BigUint64Array | Uint32Array, where: string): Uint8Array {
  const narrowed = new Int32Array(values.length);
  for (const [index, value] of values.entries()) {
    const number = int64Ends.get(BigInt(value)) ?? Number(value);
    if (number !== (number | 0)) {
      const message = `${where}: element ${index} is ${value}, which int32 can't hold, and TensorFlow.js has no wider integer`;
      throw new InferenceError("unsupported", `${message}; use float32 or smaller numbers in the model`);
    }
    narrowed[index] = number;
  }
  return toBytes(narrowed);
}

/** The bit patterns of bfloat16 are the upper halves of float32's. */
function bitsFromBfloat16(values: Uint16Array): Uint32Array {
  return Uint32Array.from(values, (value) => value << 16);
}

/** 1 sign bit, 5 of the exponent, 10 of the fraction. */
function float32FromHalf(values: Uint16Array): Float32Array {
  return Float32Array.from(values, (bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
  });
}

/** The bytes in a buffer of their own, for arrays whose elements must lie at multiples of their size. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

function toBytes(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
