import type { ConversionProgress } from "@nearside/converter";
import { proxy, wrap } from "comlink";
import { InferenceError } from "nearside";
import type { ConvertedModel, ConvertFiles, ConvertRequest } from "./convert-protocol.ts";

/** Converts in a worker that lives as long as the conversion, so that the page stays responsive. */
export async function convertInWorker(
  request: ConvertRequest,
  signal: AbortSignal,
  onProgress: (progress: ConversionProgress) => void,
): Promise<ConvertedModel> {
  signal.throwIfAborted();
  const worker = new Worker(new URL("./convert-worker.ts", import.meta.url), { type: "module" });
  try {
    const ended = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      worker.addEventListener("error", ({ message }) => reject(new Error(`the converter's worker failed: ${message}`)));
    });
    const answer = await Promise.race([wrap<ConvertFiles>(worker)(request, proxy(onProgress)), ended]);
    if ("model" in answer) return answer.model;
    const { code, message } = answer.error;
    throw code ? new InferenceError(code, message) : new Error(message);
  } finally {
    worker.terminate();
  }
}
