import { dequantize } from "@nearside/core";
import type { TensorInfo } from "@tensorflow/tfjs-core";
import { bytesOf, numbersOf, type WasmBackend } from "../backends/wasm-memory.ts";
import type { Device } from "../plan/device.ts";
import { storeArray } from "./array-weights.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { StoredWeight } from "./stored-weight.ts";

/**
 * Puts a weight into the memory of the WebAssembly backend, where what is quantised becomes numbers. Rejects with
 * `out-of-memory`.
 */
export async function storeInWasm(weight: StoredWeight, bytes: ByteReader, device: Device): Promise<TensorInfo> {
  const { name, dtype, shape, quantization, storedBytes } = weight;
  if (dtype === "string" || dtype === "complex64") return storeArray(weight, bytes, device);
  const backend = device.backend as unknown as WasmBackend; // the one of that name
  const stored = quantization && (await bytes.take(storedBytes, name));
  const tensor = backend.makeOutput([...shape], dtype);
  try {
    if (stored) {
      const elements = numbersOf(backend, tensor) as Float32Array<ArrayBuffer>; // or int32's
      dequantize(stored, quantization, shape, elements);
    } else {
      // The memory may move while the next shard is on its way.
      await bytes.read(storedBytes, name, (piece, at) => bytesOf(backend, tensor).set(piece, at));
    }
    return tensor;
  } catch (error) {
    backend.disposeData(tensor.dataId);
    throw error;
  }
}
