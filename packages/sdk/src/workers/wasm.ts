import { openWasmBackend } from "@nearside/runtime/backends/wasm";
import { serveSession } from "../serve-session.ts";

const wasmPaths = {
  "tfjs-backend-wasm.wasm": new URL("./tfjs-backend-wasm.wasm", import.meta.url).href,
  "tfjs-backend-wasm-simd.wasm": new URL("./tfjs-backend-wasm-simd.wasm", import.meta.url).href,
};

serveSession(() => openWasmBackend({ wasmPaths }));
