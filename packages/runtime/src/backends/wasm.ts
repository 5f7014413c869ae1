import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { env, findBackendFactory, type KernelBackend, registerBackend, removeBackend } from "@tensorflow/tfjs-core";
import { compileSimdKernels } from "../simd/code/simd-kernels.ts";
import { addSimd } from "../simd/simd.ts";
import { type LoadedBackend, startBackend } from "./loaded-backend.ts";
import { registerWasmKernels } from "./wasm-kernels.ts";
import type { WasmBackend } from "./wasm-memory.ts";

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
  if (findBackendFactory("wasm") !== start) {
    removeBackend("wasm");
    registerBackend("wasm", start);
  }
  return startBackend("wasm");
}

/** TensorFlow.js's own backend, which importing its package registered. */
const startStock = findBackendFactory("wasm") as () => Promise<KernelBackend>;

/** The same with our kernels, where there is SIMD. */
async function start(): Promise<KernelBackend> {
  const starting = startStock();
  // Our kernels are made once TensorFlow.js has begun to fetch its own.
  const compiling = new Promise((resolve) => setTimeout(resolve)).then(async () =>
    (await env().getAsync("WASM_HAS_SIMD_SUPPORT")) ? compileSimdKernels() : undefined,
  );
  const [backend, kernels] = await Promise.all([starting, compiling]);
  if (kernels) await addSimd(backend as unknown as WasmBackend, kernels); // what it is
  return backend;
}
