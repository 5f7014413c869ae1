/**
 * Every dtype a tensor can have: bytes per element, the array that holds the elements, and its name in the Open
 * Inference Protocol. `complex64` elements are (re, im) pairs of float32; `bool` is 0 or 1;
 * strings are UTF-8 and have no fixed size.
 */
export const dtypes = {
  float32: { bytes: 4, array: Float32Array, oip: "FP32" },
  float64: { bytes: 8, array: Float64Array, oip: "FP64" },
  int8: { bytes: 1, array: Int8Array, oip: "INT8" },
  uint8: { bytes: 1, array: Uint8Array, oip: "UINT8" },
  int16: { bytes: 2, array: Int16Array, oip: "INT16" },
  uint16: { bytes: 2, array: Uint16Array, oip: "UINT16" },
  int32: { bytes: 4, array: Int32Array, oip: "INT32" },
  uint32: { bytes: 4, array: Uint32Array, oip: "UINT32" },
  int64: { bytes: 8, array: BigInt64Array, oip: "INT64" },
  uint64: { bytes: 8, array: BigUint64Array, oip: "UINT64" },
  bool: { bytes: 1, array: Uint8Array, oip: "BOOL" },
  complex64: { bytes: 8, array: Float32Array, oip: null },
  string: { bytes: null, array: Array<string>, oip: "BYTES" },
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

/** The dtype with this Open Inference Protocol name (`FP32`), or undefined. */
export function dtypeFromOip(name: string): DType | undefined {
  return dtypeNames.find((dtype) => dtypes[dtype].oip === name);
}

const dtypeNames = Object.keys(dtypes) as DType[]; // Object.keys widens to string
