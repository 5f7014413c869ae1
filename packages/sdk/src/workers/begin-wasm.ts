import { compileWasmBinary, type WasmBinary } from "@nearside/runtime/backends/wasm-binary";
import type { ToWorker } from "../port-messages.ts";
import { startWorker } from "../start-worker.ts";
import { fileOf, type WorkerFiles } from "../worker-files.ts";

const file = (name: keyof WorkerFiles) => fileOf(import.meta.url, name);
const urls = { scalar: file("scalar"), simd: file("simd") };

// Half the processors, since two often share one core's arithmetic, but two if there are; more than four gain little.
const processors = navigator.hardwareConcurrency;
const threadCount = crossOriginIsolated ? Math.min(processors, 4, Math.max(2, Math.ceil(processors / 2))) : 1;

/** The workers that this one may compute in besides itself. */
export const threads = Array.from({ length: threadCount - 1 }, () => startWorker(new URL(file("thread"))));

/** TensorFlow.js's WebAssembly, on its way. */
export const binary = threads.length > 0 ? compileWasmBinary(urls, { isShared: true }) : fromPage();
binary.catch(() => {}); // whoever opens the backend hears of it

/** What the page hands over (see `handOverWasm`), or else what is compiled here. */
async function fromPage(): Promise<WasmBinary> {
  const module = await new Promise<WebAssembly.Module | undefined>((resolve) => {
    self.addEventListener("message", ({ data }: MessageEvent<ToWorker>) => "wasm" in data && resolve(data.wasm));
  });
  return module ? { module, isShared: false } : compileWasmBinary(urls);
}
