import { type Envelope, fromWireError, InferenceError, type RunInputs, type Tensors } from "@nearside/core";
import { startWorker } from "../start-worker.ts";
import { workerScript } from "../worker-scripts.ts";
import { copyImages } from "./copy-images.ts";

/** Makes tensors of images for runs elsewhere, in a worker that is started when there is a first image. */
export interface ImageReader {
  /** The inputs with tensors for images. */
  read(inputs: RunInputs): Promise<Tensors>;
  /** Ends the worker. */
  close(): void;
}

export function imageReader(): ImageReader {
  let worker: Worker | undefined;
  return {
    async read(inputs) {
      const copies = await copyImages(inputs);
      if (!copies) return inputs as Tensors; // there is no other kind
      worker ??= startWorker(workerScript("images"));
      const envelope = await ask(worker, copies.inputs, copies.bitmaps);
      if ("error" in envelope) throw fromWireError(envelope.error);
      return envelope.reply;
    },
    close: () => worker?.terminate(),
  };
}

async function ask(worker: Worker, inputs: RunInputs, bitmaps: readonly ImageBitmap[]): Promise<Envelope<Tensors>> {
  const { port1, port2 } = new MessageChannel();
  const settled = new AbortController();
  try {
    return await new Promise((resolve, reject) => {
      const fail = () => reject(new InferenceError("internal", "image: the worker that reads it failed"));
      worker.addEventListener("error", fail, { signal: settled.signal });
      port1.onmessage = ({ data }) => resolve(data);
      worker.postMessage(inputs, [port2, ...bitmaps]);
    });
  } finally {
    settled.abort();
    port1.close();
  }
}
