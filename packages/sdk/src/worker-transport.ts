import { hostTransport, InferenceError, type SessionHost, type Tensors, type Transport } from "@nearside/core";
import { proxy, releaseProxy, transfer, wrap } from "comlink";

/**
 * Starts the worker of a backend. Each is one self-contained file: bundlers find it by this very expression, and the
 * browser downloads no backend but the one that runs.
 */
export const startWorker = {
  webgpu: () => new Worker(new URL("../bundle/webgpu.js", import.meta.url), { type: "module" }),
  wasm: () => new Worker(new URL("../bundle/wasm.js", import.meta.url), { type: "module" }),
  cpu: () => new Worker(new URL("../bundle/cpu.js", import.meta.url), { type: "module" }),
} as const;

/** The transport to a session in a worker. Closing it ends the worker; a worker that dies rejects every call. */
export function workerTransport(worker: Worker): Transport {
  const remote = wrap<SessionHost>(worker);
  const died = new Promise<never>((_, reject) => {
    worker.addEventListener("error", (event) => {
      const reason = event.message || "its script could not be loaded";
      reject(new InferenceError("no-backend", `the worker failed: ${reason}`));
    });
  });
  const transport = hostTransport({
    call: (id, method, request, { transfer: hand, onProgress }) => {
      const message = hand && request && "inputs" in request ? transfer(request, buffers(request.inputs)) : request;
      // Comlink's types turn the correlated request and reply of Protocol into unions.
      const reply = remote.call(id, method, message as never, onProgress && proxy(onProgress)) as Promise<never>;
      return Promise.race([reply, died]);
    },
    cancel: (id) => void remote.cancel(id),
  });
  return {
    ...transport,
    close: async () => {
      await Promise.race([transport.close(null), died.catch(() => null)]);
      remote[releaseProxy]();
      worker.terminate();
      return null;
    },
  };
}

/** The buffers of these tensors, each once: what a message can hand over instead of copying. */
export function buffers(tensors: Tensors): ArrayBuffer[] {
  const found = Object.values(tensors).flatMap(({ data }) => (ArrayBuffer.isView(data) ? [data.buffer] : []));
  return [...new Set(found)];
}
