import { InferenceError, isDType, type Tensor } from "@nearside/core";
import type { TensorInfo } from "@tensorflow/tfjs-core";
import { fromTfjs, toTfjs } from "../tfjs-tensor.ts";
import { type Device, fromTfjsTensor, toTfjsTensor } from "./device.ts";

/** A tensor of the device as a plain one, of the dtype that TensorFlow.js computes in. */
export async function readPlain(device: Device, info: TensorInfo): Promise<Tensor> {
  const tensor = toTfjsTensor(device, info);
  try {
    // TensorFlow.js's dtypes are dtypes of ours, of the same name.
    if (!isDType(tensor.dtype)) throw new InferenceError("unsupported", `no plain tensor can hold ${tensor.dtype}`);
    return await fromTfjs(tensor, tensor.dtype);
  } finally {
    tensor.dispose();
  }
}

/** Puts a plain tensor onto the device; `where` names it in errors. */
export function writePlain(device: Device, tensor: Tensor, where: string): TensorInfo {
  return fromTfjsTensor(device, toTfjs(tensor, where));
}
