import { hostTransport, InferenceError, type SessionHost, type Transport } from "@nearside/core";
import { proxy, releaseProxy, transfer, wrap } from "comlink";
import { buffersOf } from "./buffers-of.ts";

/** A backend that a browser can have. */
export type LocalBackend = keyof typeof startWorker;

/**
 * Starts the worker of a backend. Each is one self-contained file: bundlers find it by this very expression, and the
 * browser downloads no backend but the one that runs.
 */
const startWorker = {
  webgpu: () => new Worker(new URL("../bundle/webgpu.js", import.meta.url), { type: "module" }),
  wasm: () => new Worker(new URL("../bundle/wasm.js", import.meta.url), { type: "module" }),
  cpu: () => new Worker(new URL("../bundle/cpu.js", import.meta.url), { type: "module" }),
} as const;

/**
 * The transport to a session in a worker of this backend. Closing it ends the worker, which frees all that it held; a
 * worker that dies rejects every call. Throws `no-backend` where no worker can be had.
 */
export function workerTransport(backend: LocalBackend): Transport {
  const worker = start(backend);
  const remote = wrap<SessionHost>(worker);
  const died = new Promise<never>((_, reject) => {
    worker.addEventListener("error", (event) => {
      const reason = event.message || "its script could not be loaded";
      reject(new InferenceError("no-backend", `the worker of backend "${backend}" failed: ${reason}`));
    });
  });
  died.catch(() => {}); // each call races with it; without a call there is nobody to tell
  const transport = hostTransport({
    call: (id, method, request, { transfer: hand, onProgress }) => {
      const message = hand && request && "inputs" in request ? transfer(request, buffersOf(request.inputs)) : request;
      // Comlink's types turn the correlated request and reply of Protocol into unions.
      const reply = remote.call(id, method, message as never, onProgress && proxy(onProgress)) as Promise<never>;
      return Promise.race([reply, died]);
    },
    cancel: (id) => void remote.cancel(id),
  });
  return {
    ...transport,
    close: async () => {
      remote[releaseProxy]();
      worker.terminate();
      return null;
    },
  };
}

function start(backend: LocalBackend): Worker {
  try {
    return startWorker[backend]();
  } catch (cause) {
    throw new InferenceError("no-backend", `backend "${backend}" cannot run here: no worker can be started`, { cause });
  }
}
