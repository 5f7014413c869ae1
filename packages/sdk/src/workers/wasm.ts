import { openWasmBackend } from "@nearside/runtime/backends/wasm";
import { serveSession } from "../serve-session.ts";

const wasmPaths = {
  "tfjs-backend-wasm.wasm": new URL("./tfjs-backend-wasm.wasm", import.meta.url).href,
  "tfjs-backend-wasm-simd.wasm": new URL("./tfjs-backend-wasm-simd.wasm", import.meta.url).href,
};

// Half the processors, since two often share one core's arithmetic, but two if there are; more than four gain little.
const processors = navigator.hardwareConcurrency;
const isOwnOrigin = new URL(import.meta.url).origin === self.origin; // from elsewhere, no more workers can be started
const threadCount =
  crossOriginIsolated && isOwnOrigin ? Math.min(processors, 4, Math.max(2, Math.ceil(processors / 2))) : 1;
const threads = Array.from(
  { length: threadCount - 1 },
  () => new Worker(new URL("./wasm-thread.js", import.meta.url), { type: "module" }),
);

serveSession(() => openWasmBackend({ wasmPaths, threads }));
