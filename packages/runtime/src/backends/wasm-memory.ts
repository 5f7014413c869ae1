import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { Simd } from "../simd/simd.ts";

/** What TensorFlow.js's types hide of its WebAssembly backend: where each tensor's bytes are. */
export interface WasmBackend {
  readonly wasm: {
    readonly HEAPU8: Uint8Array<ArrayBuffer>;
    readonly asm: { readonly memory: WebAssembly.Memory };
    _malloc(bytes: number): number;
    _free(address: number): void;
  };
  readonly dataIdMap: { get(dataId: object): { memoryOffset: number; dtype: TensorInfo["dtype"] } };
  makeOutput(shape: readonly number[], dtype: TensorInfo["dtype"]): TensorInfo;
  /** Counts one holder less, and tells whether that was the last. */
  disposeData(dataId: object, force?: boolean): boolean;
  /** Our own kernels, where there is SIMD. */
  simd?: Simd;
}

/** The address of a tensor's elements. */
export function addressOf(backend: WasmBackend, { dataId }: TensorInfo): number {
  return backend.dataIdMap.get(dataId).memoryOffset >>> 0;
}

/** The elements of a numeric tensor where they lie; valid until the backend allocates the next. */
export function numbersOf(backend: WasmBackend, tensor: TensorInfo): Float32Array | Int32Array | Uint8Array {
  if (tensor.dtype === "bool") return bytesOf(backend, tensor);
  const { memoryOffset } = backend.dataIdMap.get(tensor.dataId);
  const array = tensor.dtype === "int32" ? Int32Array : Float32Array;
  const count = tensor.dtype === "complex64" ? sizeOf(tensor) * 2 : sizeOf(tensor);
  return new array(backend.wasm.HEAPU8.buffer, memoryOffset, count);
}

/** The bytes of a bool tensor where they lie. */
export function bytesOf(backend: WasmBackend, tensor: TensorInfo): Uint8Array {
  const { memoryOffset } = backend.dataIdMap.get(tensor.dataId);
  return new Uint8Array(backend.wasm.HEAPU8.buffer, memoryOffset, sizeOf(tensor));
}

/** The number of elements. */
export function sizeOf({ shape }: TensorInfo): number {
  return shape.reduce((product, size) => product * size, 1);
}
