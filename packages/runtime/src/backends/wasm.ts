import { InferenceError } from "@nearside/core";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import {
  backend as currentBackend,
  env,
  findBackendFactory,
  type KernelBackend,
  registerBackend,
  removeBackend,
} from "@tensorflow/tfjs-core";
import { causesOf } from "../out-of-memory.ts";
import { compileSimdKernels } from "../simd/code/simd-kernels.ts";
import { addSimd } from "../simd/simd.ts";
import { type LoadedBackend, startBackend } from "./loaded-backend.ts";
import { registerWasmKernels } from "./wasm-kernels.ts";
import { refuseFailedAllocations, type WasmBackend } from "./wasm-memory.ts";

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
  const loaded = await startBackend("wasm");
  const backend = currentBackend() as unknown as WasmBackend; // what was just started
  const { wasm } = backend; // which the backend forgets when it is closed
  refuseFailedAllocations(wasm);
  let trap: Error | undefined;
  const throwIfTrapped = () => {
    if (trap) throw new InferenceError("device-lost", `WebAssembly broke off: ${trap.message}; open the session again`);
  };
  return {
    ...loaded,
    async watch(run) {
      throwIfTrapped();
      const [outcome] = await Promise.allSettled([loaded.watch(run)]);
      if (outcome.status === "rejected") trap ??= causesOf(outcome.reason).find(isTrap);
      throwIfTrapped(); // whatever was in flight computed with what the trap left
      if (outcome.status === "rejected") throw outcome.reason;
      return outcome.value;
    },
    memory: () => ({ ...loaded.memory(), deviceBytes: wasm.HEAPU8.length }),
  };
}

/** What WebAssembly throws when its code can't go on: its memory is then in any state. */
function isTrap(thrown: unknown): thrown is Error {
  return thrown instanceof WebAssembly.RuntimeError;
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
