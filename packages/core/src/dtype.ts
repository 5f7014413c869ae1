/**
 * Every dtype a tensor can have: bytes per element, and the array that holds the elements. `complex64` elements are
 * (re, im) pairs of float32; `bool` is 0 or 1; strings are UTF-8 and have no fixed size.
 */
export const dtypes = {
  float32: { bytes: 4, array: Float32Array },
  float64: { bytes: 8, array: Float64Array },
  int8: { bytes: 1, array: Int8Array },
  uint8: { bytes: 1, array: Uint8Array },
  int16: { bytes: 2, array: Int16Array },
  uint16: { bytes: 2, array: Uint16Array },
  int32: { bytes: 4, array: Int32Array },
  uint32: { bytes: 4, array: Uint32Array },
  int64: { bytes: 8, array: BigInt64Array },
  uint64: { bytes: 8, array: BigUint64Array },
  bool: { bytes: 1, array: Uint8Array },
  complex64: { bytes: 8, array: Float32Array },
  string: { bytes: null, array: Array<string> },
} as const;

/** The name of an element type. */
export type DType = keyof typeof dtypes;

/** The array that holds the elements of a tensor of dtype `D`. */
export type DataOf<D extends DType> = D extends "string"
  ? readonly string[]
  : InstanceType<(typeof dtypes)[Exclude<D, "string">]["array"]>;

/** Whether this is an array that holds elements of the dtype, whichever frame of the page made it. */
export function isDataOf(dtype: DType, data: unknown): data is DataOf<DType> {
  return Object.prototype.toString.call(data) === `[object ${dtypes[dtype].array.name}]`;
}

/** True if `name` is one of {@link dtypes}. */
export function isDType(name: unknown): name is DType {
  return typeof name === "string" && Object.hasOwn(dtypes, name);
}
