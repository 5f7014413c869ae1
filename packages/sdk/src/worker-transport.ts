import { hostTransport, InferenceError, type SessionHost, type Transport } from "@nearside/core";
import { proxy, releaseProxy, transfer, wrap } from "comlink";
import { buffersOf } from "./buffers-of.ts";
import { lifeOver } from "./life-lock.ts";
import { startWorker } from "./start-worker.ts";
import { type LocalBackend, workerScript } from "./worker-scripts.ts";

/** What a worker answers. */
export interface WorkerHost extends SessionHost {
  /** The name of the lock that the worker holds while it lives, where there are locks. */
  lifeLock(): Promise<string | undefined>;
}

/**
 * The transport to a session in a worker of this backend. Closing it ends the worker, which frees all that it held. A
 * worker that fails or is ended from outside rejects every call: with `no-backend` until the session is open, with
 * `device-lost` from then on. Throws `no-backend` where no worker can be had.
 */
export function workerTransport(backend: LocalBackend): Transport {
  const worker = start(backend);
  const remote = wrap<WorkerHost>(worker);
  const waiting = new Set<(reason: InferenceError) => void>();
  let isOpen = false;
  let death: InferenceError | undefined;
  const die = (reason: string) => {
    const message = `the worker of backend "${backend}" ${reason}`;
    death ??= new InferenceError(isOpen ? "device-lost" : "no-backend", message);
    for (const reject of waiting) reject(death);
  };
  worker.addEventListener("error", ({ message }) => die(`failed: ${message || "its script could not be loaded"}`));
  worker.addEventListener("messageerror", () => die("sent what cannot be read here"));
  void watchLife(remote, () => die("was ended"));

  /** The reply, unless the worker dies first. Not a race: that would leave every reply with a promise that outlives it. */
  const whileAlive = <T>(reply: Promise<T>) =>
    new Promise<T>((resolve, reject) => {
      waiting.add(reject);
      reply.then(resolve, reject).finally(() => waiting.delete(reject));
    });
  const transport = hostTransport({
    call: async (id, method, request, { transfer: hand, onProgress }) => {
      if (death) throw death;
      const message = hand && request && "inputs" in request ? transfer(request, buffersOf(request.inputs)) : request;
      // Comlink's types turn the correlated request and reply of Protocol into unions.
      return whileAlive(remote.call(id, method, message as never, onProgress && proxy(onProgress)) as Promise<never>);
    },
    cancel: (id) => void remote.cancel(id),
  });
  return {
    ...transport,
    open: async (request, options) => {
      const info = await transport.open(request, options);
      isOpen = true;
      return info;
    },
    close: async () => {
      remote[releaseProxy]();
      worker.terminate();
      return null;
    },
  };
}

async function watchLife(remote: { lifeLock(): Promise<string | undefined> }, onOver: () => void): Promise<void> {
  const lock = await remote.lifeLock();
  if (lock === undefined) return; // then only its own failures are heard of
  await lifeOver(lock);
  onOver();
}

function start(backend: LocalBackend): Worker {
  try {
    return startWorker(workerScript(backend));
  } catch (cause) {
    throw new InferenceError("no-backend", `backend "${backend}" cannot run here: no worker can be started`, { cause });
  }
}
