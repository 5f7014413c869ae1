import { InferenceError } from "@nearside/core";
import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { Simd } from "../simd/simd.ts";

/** What TensorFlow.js's types hide of its WebAssembly backend: where each tensor's bytes are. */
export interface WasmBackend {
  readonly wasm: WasmModule;
  readonly dataIdMap: { get(dataId: object): { memoryOffset: number; dtype: TensorInfo["dtype"] } };
  /** An output: of numbers whose bytes are yet to be written, or of these strings. */
  makeOutput(
    shape: readonly number[],
    dtype: TensorInfo["dtype"],
    memoryOffset?: undefined,
    strings?: readonly Uint8Array[],
  ): TensorInfo;
  readSync(dataId: object): ArrayLike<number> | readonly Uint8Array[];
  /** Counts one holder less, and tells whether that was the last. */
  disposeData(dataId: object, force?: boolean): boolean;
  dispose(): void;
  /** Our own kernels, where there is SIMD. */
  simd?: Simd;
}

/** The address of a tensor's elements. */
export function addressOf(backend: WasmBackend, { dataId }: TensorInfo): number {
  return backend.dataIdMap.get(dataId).memoryOffset >>> 0;
}

interface WasmModule {
  readonly HEAPU8: Uint8Array<ArrayBuffer>;
  /** Returns where there are so many bytes, or 0 if there is no room for them. */
  _malloc(bytes: number): number;
  _free(address: number): void;
  readonly asm: { readonly memory: WebAssembly.Memory };
}

/** Throws `out-of-memory` where TensorFlow.js would go on with 0, and write over whatever lies there. */
export function refuseFailedAllocations(wasm: WasmModule): void {
  const allocate = wasm._malloc;
  wasm._malloc = (bytes) => {
    const place = bytes < addressSpace ? allocate(bytes) : 0; // it takes a larger number as its last 32 bits
    if (place !== 0 || bytes === 0) return place;
    const message = `WebAssembly's memory, of ${wasm.HEAPU8.length} bytes, has no room for ${bytes} more`;
    throw new InferenceError("out-of-memory", `${message}; run smaller inputs`);
  };
}

const addressSpace = 2 ** 32;

/** The elements of a numeric tensor where they lie; valid until the backend allocates the next. */
export function numbersOf(backend: WasmBackend, tensor: TensorInfo): Float32Array | Int32Array | Uint8Array {
  if (tensor.dtype === "bool") return bytesOf(backend, tensor);
  const { memoryOffset } = backend.dataIdMap.get(tensor.dataId);
  const array = tensor.dtype === "int32" ? Int32Array : Float32Array;
  const count = tensor.dtype === "complex64" ? sizeOf(tensor) * 2 : sizeOf(tensor);
  return new array(backend.wasm.HEAPU8.buffer, memoryOffset, count);
}

/** The bytes of a tensor where they lie, likewise. */
export function bytesOf(backend: WasmBackend, tensor: TensorInfo): Uint8Array {
  const { memoryOffset } = backend.dataIdMap.get(tensor.dataId);
  return new Uint8Array(backend.wasm.HEAPU8.buffer, memoryOffset, sizeOf(tensor) * util.bytesPerElement(tensor.dtype));
}

/** The number of elements. */
export function sizeOf({ shape }: TensorInfo): number {
  return shape.reduce((product, size) => product * size, 1);
}
