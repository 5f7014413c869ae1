import {
  areTensors,
  type CallOptions,
  type Envelope,
  hostTransport,
  InferenceError,
  type Method,
  type Protocol,
  type Transport,
} from "@nearside/core";
import { buffersOf } from "./buffers-of.ts";
import { handOver } from "./hand-over.ts";
import { handOverWasm } from "./hand-over-wasm.ts";
import { lifeOver } from "./life-lock.ts";
import { plainTensors } from "./plain-tensors.ts";
import type { FromWorker, ToWorker } from "./port-messages.ts";
import { startWorker } from "./start-worker.ts";
import { fileUrl, type LocalBackend, workerScript } from "./worker-scripts.ts";

/**
 * The transport to a session in a worker of this backend. Closing it ends the worker, which frees all that it held. A
 * worker that fails or is ended from outside rejects every call: with `no-backend` until the session is open, with
 * `device-lost` from then on; but one that calls a server has nothing to lose, and another takes its place: then it is
 * `unavailable`, once. Throws `no-backend` where no worker can be had. `name` is what the worker may know while it
 * starts: a backend's, the URL of the model that it is going to open; that which calls a server, this and the model.
 */
export function workerTransport(backend: LocalBackend | "server", name?: string): Transport {
  let worker: Worker | undefined;
  const calls = new Map<number, Call>();
  let isOpen = false;
  let death: InferenceError | undefined;
  /** Until the images of the calls so far are copied: calls arrive in the order in which they are made. */
  let copying: Promise<unknown> | undefined;
  const die = (reason: string) => {
    const isReplaced = isOpen && backend === "server";
    const code = isReplaced ? "unavailable" : isOpen ? "device-lost" : "no-backend";
    const error = new InferenceError(code, `the worker of backend "${backend}" ${reason}`);
    if (isReplaced) {
      worker?.terminate();
      worker = undefined;
    } else death ??= error;
    for (const { reject } of calls.values()) reject(error);
    calls.clear();
  };
  const begin = () => {
    const begun = start(backend, name);
    const dieOf = (reason: string) => worker === begun && die(reason);
    begun.addEventListener("error", ({ message }) => dieOf(`failed: ${message || "its script could not be loaded"}`));
    begun.addEventListener("messageerror", () => dieOf("sent what cannot be read here"));
    begun.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
      if ("lifeLock" in data) {
        if (data.lifeLock !== undefined) void lifeOver(data.lifeLock).then(() => dieOf("was ended"));
        return; // without a lock only the worker's own failures are heard of
      }
      const call = calls.get(data.id);
      if ("progress" in data) return call?.onProgress?.(data.progress);
      calls.delete(data.id);
      call?.resolve(data.envelope);
    });
    return begun;
  };
  worker = begin(); // now, while it isn't known yet what to open

  const transport = hostTransport({
    call: <M extends Method>(
      id: number,
      method: M,
      request: Protocol[M]["request"],
      { transfer, signal, onProgress }: CallOptions,
    ) => {
      const post = (request: Protocol[Method]["request"], handedOver: Transferable[]) =>
        new Promise<Envelope<Protocol[M]["reply"]>>((resolve, reject) => {
          if (death) throw death;
          worker ??= begin();
          const begun = worker;
          handOver(() => begun.postMessage({ id, method, request } satisfies ToWorker, handedOver));
          calls.set(id, { resolve: resolve as Call["resolve"], reject, onProgress }); // the reply to this very call
        });
      const run: Protocol["run"]["request"] | undefined = request && "inputs" in request ? request : undefined;
      const inputs = run?.inputs ?? {};
      const tensors = plainTensors(inputs);
      const buffers = transfer ? buffersOf(tensors) : [];
      if (!copying && areTensors(inputs)) return post(run ? { ...run, inputs: tensors } : request, buffers);
      const given = handOver(() => structuredClone(tensors, { transfer: buffers })); // as they are now
      const copies = import("./inputs/copy-images.ts").then(({ copyImages }) => copyImages(inputs));
      const posted = Promise.all([copies, copying]).then(([{ images, bitmaps }]) => {
        const own = run ? { ...run, inputs: { ...given, ...images } } : request;
        const isTakenBack = signal?.aborted;
        const answer = isTakenBack ? Promise.reject(signal?.reason) : post(own, [...buffersOf(given), ...bitmaps]);
        answer.catch(() => bitmaps.map((bitmap) => bitmap.close())); // those that weren't handed over
        return { answer };
      });
      const over = Promise.allSettled([posted]);
      copying = over;
      void over.then(() => {
        if (copying === over) copying = undefined;
      });
      return posted.then(({ answer }) => answer);
    },
    cancel: (id) => worker?.postMessage({ cancel: id } satisfies ToWorker),
  });
  return {
    ...transport,
    open: async (request, options) => {
      const info = await transport.open(request, options);
      isOpen = true;
      return info;
    },
    close: async () => {
      worker?.terminate();
      die("was closed"); // what nobody waited for, as the freeing of a state, is over
      return null;
    },
  };
}

/** A call that the worker hasn't answered. */
interface Call {
  readonly resolve: (envelope: Extract<FromWorker, { envelope: unknown }>["envelope"]) => void;
  readonly reject: (reason: InferenceError) => void;
  readonly onProgress: CallOptions["onProgress"];
}

function start(backend: LocalBackend | "server", name: string | undefined): Worker {
  try {
    const worker = startWorker(workerScript(backend), name);
    if (backend === "wasm") handOverWasm(worker, fileUrl("simd")).catch(() => {}); // then the worker tries
    return worker;
  } catch (cause) {
    const reason = (cause as Error).message; // the platform's
    throw new InferenceError("no-backend", `backend "${backend}" cannot run here: no worker: ${reason}`, {
      cause,
    });
  }
}
