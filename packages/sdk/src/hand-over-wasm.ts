import type { ToWorker } from "./port-messages.ts";

/**
 * Compiles a WebAssembly binary for a worker that is starting, and hands it over: the page can fetch at once, where a
 * worker's first fetch holds it up for tens of milliseconds. A worker that is handed nothing compiles it itself, or tells
 * why it can't: where memory is to be shared, without SIMD, where a policy forbids it to the page, or where the server
 * doesn't say what the file is.
 */
export async function handOverWasm(worker: Worker, url: URL): Promise<void> {
  let wasm: WebAssembly.Module | undefined;
  try {
    if (!crossOriginIsolated) wasm = await WebAssembly.compileStreaming(fetch(url));
  } finally {
    worker.postMessage({ wasm } satisfies ToWorker);
  }
}
