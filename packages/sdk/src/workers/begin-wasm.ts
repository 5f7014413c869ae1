import { compileWasmBinary } from "@nearside/runtime/backends/wasm-binary";
import { startWorker } from "../start-worker.ts";
import { wasmFilesOf } from "../wasm-files.ts";

const { thread, ...urls } = wasmFilesOf(import.meta.url);

// Half the processors, since two often share one core's arithmetic, but two if there are; more than four gain little.
const processors = navigator.hardwareConcurrency;
const threadCount = crossOriginIsolated ? Math.min(processors, 4, Math.max(2, Math.ceil(processors / 2))) : 1;

/** The workers that this one may compute in besides itself. */
export const threads = Array.from({ length: threadCount - 1 }, () => startWorker(new URL(thread)));

/** TensorFlow.js's WebAssembly, on its way. */
export const binary = compileWasmBinary(urls, { isShared: threads.length > 0 });
binary.catch(() => {}); // whoever opens the backend hears of it
