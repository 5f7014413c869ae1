import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { env } from "@tensorflow/tfjs-core";
import { type LoadedBackend, startBackend } from "./loaded-backend.ts";
import { registerWasmKernels } from "./wasm-kernels.ts";

export interface WasmOptions {
  /** Where the binaries are, as URLs; in Node they are found without it. */
  readonly wasmPaths?: Readonly<Record<"tfjs-backend-wasm.wasm" | "tfjs-backend-wasm-simd.wasm", string>>;
}

/** Loads the WebAssembly backend: SIMD where there is SIMD, one thread. Rejects with `no-backend`. */
export async function openWasmBackend({ wasmPaths }: WasmOptions = {}): Promise<LoadedBackend> {
  // The threaded binary needs a cross-origin isolated page and starts workers of its own from blobs.
  env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  if (wasmPaths) {
    setWasmPaths({ ...wasmPaths, "tfjs-backend-wasm-threaded-simd.wasm": "" }); // asks for all three names
  }
  registerWasmKernels();
  return startBackend("wasm");
}
