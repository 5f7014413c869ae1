import {
  closeImages,
  type Envelope,
  fromWireError,
  InferenceError,
  type RunInputs,
  type Tensors,
} from "@nearside/core";
import { handOver } from "../hand-over.ts";
import { plainTensors } from "../plain-tensors.ts";
import { startWorker } from "../start-worker.ts";
import { workerScript } from "../worker-scripts.ts";
import { copyImages, type ImageCopies } from "./copy-images.ts";

/** Makes tensors of images where no session does, in a worker that is started when there is a first image. */
export interface ImageReader {
  /** The inputs as they are now, with tensors for images. Rejects with `unavailable` if the worker fails. */
  read(inputs: RunInputs): Promise<Tensors>;
  /** Ends the worker. */
  close(): void;
}

export function imageReader(): ImageReader {
  let worker: Worker | undefined;
  const start = (): Worker => {
    const started = startWorker(workerScript("images"));
    started.addEventListener("error", () => {
      started.terminate();
      if (worker === started) worker = undefined; // the next image has another
    });
    return started;
  };
  return {
    async read(inputs) {
      const given = structuredClone(plainTensors(inputs)); // they may be filled anew meanwhile
      const copies = await copyImages(inputs);
      try {
        worker ??= start();
        const envelope = await ask(worker, copies);
        if ("error" in envelope) throw fromWireError(envelope.error);
        return { ...given, ...envelope.reply };
      } catch (error) {
        closeImages(copies.images); // those that weren't handed over
        throw error;
      }
    },
    close: () => worker?.terminate(),
  };
}

async function ask(worker: Worker, { images, bitmaps }: ImageCopies): Promise<Envelope<Tensors>> {
  const { port1, port2 } = new MessageChannel();
  const settled = new AbortController();
  try {
    return await new Promise((resolve, reject) => {
      const fail = ({ message }: ErrorEvent) => {
        const reason = message || "its script could not be loaded";
        reject(new InferenceError("unavailable", `image: the worker that reads it failed: ${reason}`));
      };
      worker.addEventListener("error", fail, { signal: settled.signal });
      port1.onmessage = ({ data }) => resolve(data);
      handOver(() => worker.postMessage(images, [port2, ...bitmaps]));
    });
  } finally {
    settled.abort();
    port1.close();
  }
}
