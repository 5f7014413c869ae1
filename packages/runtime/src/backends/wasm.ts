import { InferenceError } from "@nearside/core";
import "@tensorflow/tfjs-backend-wasm"; // it registers the backend
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
import type { Teammate } from "../simd/threads/team.ts";
import { checkOutputShape } from "./check-output-shape.ts";
import { type LoadedBackend, startBackend } from "./loaded-backend.ts";
import { startWasmBinary } from "./start-wasm-binary.ts";
import type { WasmBinary } from "./wasm-binary.ts";
import { registerWasmKernels } from "./wasm-kernels.ts";
import { refuseFailedAllocations, type WasmBackend } from "./wasm-memory.ts";

export interface WasmOptions {
  /** TensorFlow.js's binary (see `compileWasmBinary`); in Node it is found without it. */
  readonly binary?: Promise<WasmBinary>;
  /**
   * Workers that run `serveWasmThread`, to compute in as well. They are left alone where the binary's memory isn't shared.
   * It must not be the page's own thread that opens the backend, since that may not wait for others.
   */
  readonly threads?: readonly Teammate[];
}

/** Loads the WebAssembly backend: SIMD where there is SIMD. Rejects with `no-backend`. */
export async function openWasmBackend({ binary, threads = [] }: WasmOptions = {}): Promise<LoadedBackend> {
  env().set("WASM_HAS_MULTITHREAD_SUPPORT", false); // TensorFlow.js's own threads
  registerWasmKernels();
  removeBackend("wasm");
  registerBackend("wasm", () => start(binary, threads));
  const loaded = await startBackend("wasm", { testSize: threads.length > 0 ? 64 : 16 });
  const backend = currentBackend() as unknown as WasmBackend; // what was just started
  const { wasm } = backend; // which the backend forgets when it is closed
  refuseFailedAllocations(wasm);
  const makeOutput = backend.makeOutput.bind(backend);
  backend.makeOutput = (shape, ...rest) => {
    checkOutputShape(shape);
    return makeOutput(shape, ...rest);
  };
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
async function start(binary: WasmOptions["binary"], threads: readonly Teammate[]): Promise<KernelBackend> {
  const isShared = threads.length > 0 && (await binary)?.isShared === true;
  const hasSimd = await env().getAsync("WASM_HAS_SIMD_SUPPORT");
  const compiling = hasSimd ? compileSimdKernels({ isShared }) : undefined;
  const found = await binary;
  const [backend, kernels] = await Promise.all([found ? startWasmBinary(found.module) : startStock(), compiling]);
  if (kernels) await addSimd(backend as unknown as WasmBackend, kernels, isShared ? threads : []); // what it is
  return backend;
}
