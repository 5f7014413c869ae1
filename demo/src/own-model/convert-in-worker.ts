import type { ConversionProgress } from "@nearside/converter";
import { InferenceError } from "nearside";
import type { ConvertedModel, ConvertMessage, ConvertRequest } from "./convert-protocol.ts";

/** Converts in a worker that lives as long as the conversion, so that the page stays responsive. */
export async function convertInWorker(
  request: ConvertRequest,
  signal: AbortSignal,
  onProgress: (progress: ConversionProgress) => void,
): Promise<ConvertedModel> {
  signal.throwIfAborted();
  const worker = new Worker(new URL("./convert-worker.ts", import.meta.url), { type: "module" });
  try {
    return await new Promise<ConvertedModel>((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      worker.addEventListener("error", ({ message }) => reject(new Error(`the converter's worker failed: ${message}`)));
      worker.addEventListener("message", ({ data }: MessageEvent<ConvertMessage>) => {
        if ("progress" in data) onProgress(data.progress);
        else if ("model" in data) resolve(data.model);
        else
          reject(
            data.error.code ? new InferenceError(data.error.code, data.error.message) : new Error(data.error.message),
          );
      });
      worker.postMessage(request);
    });
  } finally {
    worker.terminate();
  }
}
