import type { DType } from "./dtype.ts";

/** What TensorFlow calls each dtype. */
export const tensorflowNames: Readonly<Record<DType, string>> = {
  float32: "DT_FLOAT",
  float64: "DT_DOUBLE",
  int8: "DT_INT8",
  uint8: "DT_UINT8",
  int16: "DT_INT16",
  uint16: "DT_UINT16",
  int32: "DT_INT32",
  uint32: "DT_UINT32",
  int64: "DT_INT64",
  uint64: "DT_UINT64",
  bool: "DT_BOOL",
  complex64: "DT_COMPLEX64",
  string: "DT_STRING",
};

const dtypeNames = Object.keys(tensorflowNames) as DType[]; // Object.keys widens to string

/** The dtype with this TensorFlow name (`DT_FLOAT`), or undefined. */
export function dtypeFromTensorFlow(name: string): DType | undefined {
  return dtypeNames.find((dtype) => tensorflowNames[dtype] === name);
}
