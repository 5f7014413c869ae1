import { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import * as glue from "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.js";
import type { KernelBackend } from "@tensorflow/tfjs-core";

/** What TensorFlow.js's types say of it, and what else it has. */
type WasmModule = ConstructorParameters<typeof BackendWasm>[0] & {
  cwrap(name: string, result: "number" | null, operands: readonly "number"[]): (...operands: number[]) => number;
};

/** What Emscripten's function takes, of all that it can. */
interface GlueOptions {
  instantiateWasm(imports: WebAssembly.Imports, started: (instance: WebAssembly.Instance) => void): object;
  onAbort(reason: unknown): void;
}

// A CommonJS module, whose types say that it is none.
const startGlue = glue.default as unknown as (options: GlueOptions) => Promise<WasmModule>;

/**
 * Starts TensorFlow.js's WebAssembly backend on a binary that is compiled already, which its own start would fetch and
 * compile only now. Rejects where it can't start: for lack of memory, say.
 */
export async function startWasmBinary(module: WebAssembly.Module): Promise<KernelBackend> {
  const wasm = await new Promise<WasmModule>((resolve, reject) => {
    const instantiateWasm: GlueOptions["instantiateWasm"] = (imports, started) => {
      WebAssembly.instantiate(module, imports).then(started).catch(reject);
      return {}; // the exports come later
    };
    startGlue({ instantiateWasm, onAbort: reject }).then(resolve, reject);
  });
  // The functions that the backend calls besides its kernels, as C declares them.
  wasm.tfjs = {
    init: wasm.cwrap("init", null, []),
    initWithThreadsCount: wasm.cwrap("init_with_threads_count", null, ["number"]),
    getThreadsCount: wasm.cwrap("get_threads_count", "number", []),
    registerTensor: wasm.cwrap("register_tensor", null, ["number", "number", "number"]),
    disposeData: wasm.cwrap("dispose_data", null, ["number"]),
    dispose: wasm.cwrap("dispose", null, []),
  } as WasmModule["tfjs"]; // these are they
  return new BackendWasm(wasm);
}
