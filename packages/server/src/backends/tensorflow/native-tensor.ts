import { type DType, decodeText, encodeText, InferenceError, type Tensor, type TensorSpec } from "@nearside/core";
import { cannotRun } from "./saved-model.ts";
import type { NativeTensor, TensorflowAddon } from "./tensorflow-package.ts";

/** The dtypes that the addon hands over, in one direction or both, with TensorFlow's numbers for them. */
const nativeDTypes = {
  float32: { number: 1, in: true, out: true },
  int32: { number: 3, in: true, out: true },
  uint8: { number: 4, in: true, out: false },
  string: { number: 7, in: true, out: true },
  complex64: { number: 8, in: false, out: true },
  int64: { number: 9, in: true, out: true },
  bool: { number: 10, in: true, out: true },
} as const satisfies Partial<Record<DType, { number: number; in: boolean; out: boolean }>>;

type NativeDType = keyof typeof nativeDTypes;

/** Throws `no-backend` if the addon can't hand tensors of this spec over. */
export function requireNative({ dtype }: TensorSpec, direction: "in" | "out", where: string): void {
  if (Object.hasOwn(nativeDTypes, dtype) && nativeDTypes[dtype as NativeDType][direction]) return;
  throw cannotRun(`${where} has the dtype ${dtype}, which TensorFlow.js's addon lacks`);
}

/** Makes a tensor of TensorFlow's; delete it after use. */
export function toNative(addon: TensorflowAddon, { dtype, shape, data }: Tensor): number {
  const { number } = nativeDTypes[dtype as NativeDType]; // what requireNative let pass
  if (dtype === "string") return addon.createTensor(shape, number, (data as readonly string[]).map(encodeText));
  // The addon takes int64 as pairs of int32, and copies nothing: the data is TensorFlow's until the tensor is deleted.
  const { buffer, byteOffset, length } = data as BigInt64Array;
  const elements =
    dtype === "int64" ? new Int32Array(buffer, byteOffset, length * 2) : (data as ArrayBufferView & Tensor["data"]);
  return addon.createTensor(shape, number, elements as ArrayBufferView);
}

/** Copies a tensor of TensorFlow's, which must have this dtype. Throws `internal` if it hasn't. */
export function fromNative(
  addon: TensorflowAddon,
  { id, shape, dtype: number }: NativeTensor,
  dtype: DType,
  where: string,
): Tensor {
  if (nativeDTypes[dtype as NativeDType].number !== number) {
    throw new InferenceError("internal", `${where}: expected ${dtype} of TensorFlow, got its type ${number}`);
  }
  const data = addon.tensorDataSync(id); // in the array of its dtype, strings as bytes
  if (dtype === "string")
    return { dtype, shape, data: (data as readonly Uint8Array[]).map((bytes) => decodeText(bytes)) };
  return { dtype, shape, data: data as Tensor["data"] } as Tensor;
}
