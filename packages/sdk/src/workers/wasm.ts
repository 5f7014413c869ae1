import { openWasmBackend } from "@nearside/runtime/backends/wasm";
import { serveSession } from "../serve-session.ts";
import { startWorker } from "../start-worker.ts";
import { wasmFilesOf } from "../wasm-files.ts";

const { thread, scalar, simd } = wasmFilesOf(import.meta.url);
const wasmPaths = { "tfjs-backend-wasm.wasm": scalar, "tfjs-backend-wasm-simd.wasm": simd };

// Half the processors, since two often share one core's arithmetic, but two if there are; more than four gain little.
const processors = navigator.hardwareConcurrency;
const threadCount = crossOriginIsolated ? Math.min(processors, 4, Math.max(2, Math.ceil(processors / 2))) : 1;
const threads = Array.from({ length: threadCount - 1 }, () => startWorker(new URL(thread)));

serveSession(() => openWasmBackend({ wasmPaths, threads }));
