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
import { withSharedMemory } from "../simd/threads/share-memory.ts";
import type { Teammate } from "../simd/threads/team.ts";
import { type LoadedBackend, startBackend } from "./loaded-backend.ts";
import { registerWasmKernels } from "./wasm-kernels.ts";
import { refuseFailedAllocations, type WasmBackend } from "./wasm-memory.ts";

export interface WasmOptions {
  /** Where the binaries are, as URLs; in Node they are found without it. */
  readonly wasmPaths?: Readonly<Record<"tfjs-backend-wasm.wasm" | "tfjs-backend-wasm-simd.wasm", string>>;
  /**
   * Workers that run `serveWasmThread`, to compute in as well. They are left alone where memory can't be shared with
   * them: where the page is not cross-origin isolated, or there is no SIMD. It must not be the page's own thread that
   * opens the backend, since that may not wait for others.
   */
  readonly threads?: readonly Teammate[];
}

/** Loads the WebAssembly backend: SIMD where there is SIMD. Rejects with `no-backend`. */
export async function openWasmBackend({ wasmPaths, threads = [] }: WasmOptions = {}): Promise<LoadedBackend> {
  env().set("WASM_HAS_MULTITHREAD_SUPPORT", false); // TensorFlow.js's own threads
  const simdPath = wasmPaths?.["tfjs-backend-wasm-simd.wasm"];
  const sharedPath = threads.length > 0 && simdPath ? await shareMemory(simdPath) : undefined;
  if (wasmPaths) {
    const paths = { ...wasmPaths, ...(sharedPath && { "tfjs-backend-wasm-simd.wasm": sharedPath }) };
    setWasmPaths({ ...paths, "tfjs-backend-wasm-threaded-simd.wasm": "" }); // asks for all three names
  }
  registerWasmKernels();
  removeBackend("wasm");
  registerBackend("wasm", () => start(sharedPath ? threads : []));
  const loaded = await startBackend("wasm").finally(() => sharedPath && URL.revokeObjectURL(sharedPath));
  const backend = currentBackend() as unknown as WasmBackend; // what was just started
  const { wasm } = backend; // which the backend forgets when it is closed
  refuseFailedAllocations(wasm);
  let trap: Error | undefined;
  const throwIfTrapped = () => {
    if (trap) throw new InferenceError("device-lost", `WebAssembly broke off: ${trap.message}; open the session again`);
  };
  return {
    ...loaded,
    threads: backend.simd?.calls.threads ?? 1,
    warmUpRuns: 2, // engines optimise WebAssembly once it has run
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
async function start(threads: readonly Teammate[]): Promise<KernelBackend> {
  const starting = startStock();
  // Our kernels are made once TensorFlow.js has begun to fetch its own.
  const compiling = new Promise((resolve) => setTimeout(resolve)).then(async () =>
    (await env().getAsync("WASM_HAS_SIMD_SUPPORT")) ? compileSimdKernels({ isShared: threads.length > 0 }) : undefined,
  );
  const [backend, kernels] = await Promise.all([starting, compiling]);
  if (kernels) await addSimd(backend as unknown as WasmBackend, kernels, threads); // what it is
  return backend;
}

/** A URL of the binary at `path` with its memory declared as shared; undefined where it can't be, or can't be fetched. */
async function shareMemory(path: string): Promise<string | undefined> {
  if (!globalThis.crossOriginIsolated) return undefined;
  const response = await fetch(path);
  const shared = response.ok ? withSharedMemory(new Uint8Array(await response.arrayBuffer())) : undefined;
  if (shared === undefined) return undefined;
  const url = URL.createObjectURL(new Blob([shared], { type: "application/wasm" }));
  // A page's content security policy may forbid it, and TensorFlow.js tries only once.
  const isAllowed = await fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
  if (isAllowed) return url;
  URL.revokeObjectURL(url);
  return undefined;
}
