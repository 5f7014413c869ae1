import { closeImages, type SessionHost, type Tensors } from "@nearside/core";
import { buffersOf } from "./buffers-of.ts";
import { holdLifeLock } from "./life-lock.ts";
import type { FromWorker, ToWorker } from "./port-messages.ts";

/** Answers the calls of this worker's page. */
export function serveCalls(host: SessionHost): void {
  const tell = (message: FromWorker, buffers: ArrayBuffer[] = []) => self.postMessage(message, { transfer: buffers });
  const held = holdLifeLock().then((lifeLock) => tell({ lifeLock }));
  self.addEventListener("message", async ({ data }: MessageEvent<ToWorker>) => {
    if ("wasm" in data) return; // see workers/begin-wasm.ts
    if ("cancel" in data) return host.cancel(data.cancel);
    const { id, method, request } = data;
    const envelope = await host.call(id, method, request, (progress) => tell({ id, progress }));
    if (request && "inputs" in request) closeImages(request.inputs); // they are this worker's own
    await held; // before any reply: whoever has one must hear of the worker's end
    const isRun = method === "run" && "reply" in envelope;
    tell({ id, envelope }, isRun ? buffersOf(envelope.reply as Tensors) : []); // a run's reply
  });
}
