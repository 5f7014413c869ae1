import type { DType } from "../dtype.ts";
import { InferenceError } from "../errors.ts";

/** Those that the protocol has. */
const oipNames: Readonly<Partial<Record<DType, string>>> = {
  float32: "FP32",
  float64: "FP64",
  int8: "INT8",
  uint8: "UINT8",
  int16: "INT16",
  uint16: "UINT16",
  int32: "INT32",
  uint32: "UINT32",
  int64: "INT64",
  uint64: "UINT64",
  bool: "BOOL",
  string: "BYTES",
};

/** The dtype with this Open Inference Protocol name (`FP32`), or undefined. */
export function dtypeFromOip(name: string): DType | undefined {
  return (Object.keys(oipNames) as DType[]).find((dtype) => oipNames[dtype] === name); // Object.keys widens to string
}

/** The protocol's name of a dtype. Throws `unsupported`, naming the tensor, where it has none. */
export function oipName(name: string, dtype: DType): string {
  const oip = oipNames[dtype];
  if (oip === undefined) {
    throw new InferenceError("unsupported", `"${name}": the protocol has no ${dtype}; send its parts`);
  }
  return oip;
}
