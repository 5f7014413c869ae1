import { serveWasmThread } from "@nearside/runtime/backends/wasm-thread";

serveWasmThread();
