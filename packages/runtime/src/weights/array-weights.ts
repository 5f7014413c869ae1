import { dequantize, dtypes, elementCount } from "@nearside/core";
import type { TensorInfo } from "@tensorflow/tfjs-core";
import { type Device, makeTensor } from "../plan/device.ts";
import { writePlain } from "../plan/plain.ts";
import type { ByteReader } from "./byte-reader.ts";
import { lengthBytes, type StoredWeight } from "./stored-weight.ts";

/**
 * Puts a weight onto a backend as an array: all that a backend in plain JavaScript takes, and all that any takes of
 * strings and complex numbers.
 */
export async function storeArray(weight: StoredWeight, bytes: ByteReader, device: Device): Promise<TensorInfo> {
  const { name, dtype, shape, quantization, storedBytes } = weight;
  if (dtype === "string") return makeTensor(device, await readStrings(weight, bytes), shape, dtype);
  if (quantization) {
    return makeTensor(device, dequantize(await bytes.take(storedBytes, name), quantization, shape), shape, dtype);
  }
  const { array } = dtypes[dtype];
  const data = new array(storedBytes / array.BYTES_PER_ELEMENT);
  const memory = new Uint8Array(data.buffer);
  await bytes.read(storedBytes, name, (piece, at) => memory.set(piece, at));
  if (dtype !== "complex64") return makeTensor(device, data, shape, dtype);
  return writePlain(device, { dtype, shape, data: data as Float32Array<ArrayBuffer> }, `weight "${name}"`); // that dtype's array
}

/** Each is stored as its length and its bytes. */
async function readStrings({ name, shape }: StoredWeight, bytes: ByteReader): Promise<readonly Uint8Array[]> {
  const count = elementCount(shape);
  const strings: Uint8Array[] = [];
  while (strings.length < count) {
    const { buffer, byteOffset } = await bytes.take(lengthBytes, name);
    const length = new DataView(buffer).getUint32(byteOffset, true);
    strings.push((await bytes.take(length, name)).slice()); // a view would keep the whole shard
  }
  return strings;
}
