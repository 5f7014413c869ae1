import {
  type AnyModel,
  InferenceError,
  type ModelTypes,
  openProxySession,
  type Progress,
  type Session,
} from "@nearside/core";
import { connectSession } from "./connect-session.ts";
import { type LocalBackend, workerTransport } from "./worker-transport.ts";

export interface OpenOptions {
  /** The backends to try, in order (default webgpu, wasm, cpu). An empty list goes straight to the fallback. */
  readonly backend?: LocalBackend | readonly LocalBackend[];
  /** The server, and the model's name on it, to use when no backend here can run the model. */
  readonly fallback?: { readonly server: string | URL; readonly model: string };
  /** Keep the weights in IndexedDB, and take them from there the next time (default true). */
  readonly cache?: boolean;
  /** Run once on zeros before the session counts as open, so that the first real run is fast (default true). */
  readonly warmUp?: boolean;
  /** Ends the opening early: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/**
 * Opens a TensorFlow.js graph model in a worker of its own, on the first backend that can run it. `model` is the URL of
 * its `model.json`, or the model's files by path, which the cache leaves alone. Rejects with an `InferenceError`: `not-found`, `unavailable` (network), `data-loss` (a file is not what it
 * should be), `no-backend` (none can run it, and there is no fallback; the message tells each one's reason).
 */
export async function openSession<M extends ModelTypes = AnyModel>(
  model: string | URL | ReadonlyMap<string, Blob>,
  options: OpenOptions = {},
): Promise<Session<M>> {
  const { backend = ["webgpu", "wasm", "cpu"], fallback, cache = true, warmUp = true, signal, onProgress } = options;
  signal?.throwIfAborted();
  const request =
    typeof model === "string" || model instanceof URL
      ? { model: new URL(model, globalThis.location?.href).href, cache, warmUp }
      : { model: "model.json", files: model, cache: false, warmUp };
  const refusals: InferenceError[] = [];
  for (const name of [backend].flat()) {
    try {
      await checkDevice(name);
      return await openProxySession<M>(workerTransport(name), request, { location: "local", signal, onProgress });
    } catch (error) {
      if (!(error instanceof InferenceError) || error.code !== "no-backend") throw error;
      refusals.push(error);
    }
  }
  if (fallback) return connectSession<M>(fallback.server, fallback.model, { ...(signal && { signal }) });
  const reasons = refusals.map(({ message }) => message).join("; ") || "no backend was asked for";
  const message = `no backend here can run ${request.model}: ${reasons}; give openSession a fallback server`;
  throw new InferenceError("no-backend", message, { cause: new AggregateError(refusals) });
}

/** Throws `no-backend` where there is no device for the backend, before its worker is downloaded in vain. */
async function checkDevice(backend: LocalBackend): Promise<void> {
  if (backend !== "webgpu" || (await navigator.gpu?.requestAdapter())) return;
  const reason = navigator.gpu ? "no adapter" : "no WebGPU";
  throw new InferenceError("no-backend", `backend "webgpu" cannot run here: ${reason}`);
}
