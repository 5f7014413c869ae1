import {
  type AnyModel,
  InferenceError,
  type ModelTypes,
  type Opener,
  openProxySession,
  openWithRecovery,
  type Precision,
  type Progress,
  type Session,
  type SessionEvent,
  type Transport,
} from "@nearside/core";
import type { FallbackServer } from "./fallback/open-with-server.ts";
import { type ModelSource, modelSource } from "./model-source.ts";
import type { ModelUrl } from "./model-url.ts";
import { checkBackends, type LocalBackend } from "./worker-scripts.ts";
import { workerTransport } from "./worker-transport.ts";

export interface OpenOptions {
  /**
   * The backends to try, in order (default webgpu, wasm, cpu). An empty list goes straight to the fallback. `auto` measures
   * webgpu, webgl and wasm on the model when it is first opened here, and remembers which was the fastest.
   */
  readonly backend?: LocalBackend | readonly LocalBackend[] | "auto";
  /** The server, and the model's name on it, for when nothing here can run the model, or fails, or is too slow. */
  readonly fallback?: FallbackServer;
  /** Other addresses of the same `model.json`, its shards beside it, to ask where the first one fails. */
  readonly mirrors?: readonly (string | URL)[];
  /**
   * Sent with each request for the model's files, say, `{ authorization: "Bearer …" }`: to the origin of its URL, not to
   * mirrors of others. What they let through is kept in the cache as any model is.
   */
  readonly headers?: Readonly<Record<string, string>>;
  /** Keep the model in IndexedDB, and take it from there the next time, also without the network (default true). */
  readonly cache?: boolean;
  /** Run before the session counts as open, so that the first real run is fast (default true). */
  readonly warmUp?: boolean;
  /** What matrix products and convolutions take on webgpu: float16 needs half the memory for weights (default float32). */
  readonly precision?: Precision;
  /** Ends the opening early: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** Hears where the session was opened, which backends refused, and when it is lost. */
  readonly onEvent?: (event: SessionEvent) => void;
}

/**
 * Opens a TensorFlow.js graph model in a worker of its own, on the first backend that can run it. `model` is the URL of
 * its `model.json`, or the model's files by path, which the cache leaves alone. When its device or worker is lost, or
 * out of memory, the session opens again, from the weights in the cache, there or on the next backend (see
 * `openWithRecovery`), and its runs go to the fallback server as long as that fails (see `withFallback`).
 *
 * Rejects with an `InferenceError`: `not-found`, `unavailable` (network), `data-loss` (a file is not what it should be),
 * `no-backend` (none can run it, and there is no fallback; the message tells each one's reason).
 */
export async function openSession<M extends ModelTypes = AnyModel>(
  model: ModelUrl<M> | URL | ReadonlyMap<string, Blob>,
  options: OpenOptions = {},
): Promise<Session<M>> {
  const { backend = ["webgpu", "wasm", "cpu"], fallback, signal, onProgress, onEvent } = options;
  signal?.throwIfAborted();
  if (backend !== "auto") checkBackends([backend].flat());
  const source = modelSource(model, options);
  let isOpen = false;
  const tellProgress = (progress: Progress) => {
    if (!isOpen) onProgress?.(progress); // opening it again is no progress of what the caller waits for
  };
  const openOn = (name: LocalBackend) => workerOpener<M>(name, source, tellProgress);
  const open: Opener<M> = async (signal) => {
    const openers = await openersOf(backend, source, openOn, signal);
    return openWithRecovery(source.request.model, openers, { signal, onEvent });
  };
  const session = await (fallback ? openWithFallback(source, open, fallback, options) : open(signal));
  isOpen = true;
  return session;
}

async function openWithFallback<M extends ModelTypes>(
  source: ModelSource,
  open: Opener<M>,
  fallback: FallbackServer,
  options: OpenOptions,
): Promise<Session<M>> {
  const { openWithServer } = await import("./fallback/open-with-server.ts"); // only pages that ask for it download it
  return openWithServer({ source, open }, fallback, options);
}

async function openersOf<M extends ModelTypes>(
  backend: NonNullable<OpenOptions["backend"]>,
  source: ModelSource,
  openOn: (name: LocalBackend) => Opener<M>,
  signal: AbortSignal | undefined,
): Promise<readonly Opener<M>[]> {
  if (backend !== "auto") return [backend].flat().map(openOn);
  const { fastestFirst } = await import("./fastest-backend.ts"); // which only pages download that ask for it
  return fastestFirst<M>({ source, openOn, signal });
}

function workerOpener<M extends ModelTypes>(
  backend: LocalBackend,
  source: ModelSource,
  onProgress: (progress: Progress) => void,
): Opener<M> {
  return async (signal) => {
    await checkDevice(backend);
    const { model, cache } = source.request;
    const transport = workerTransport(backend, cache ? model : undefined);
    const open: Transport["open"] = async (request, options) => {
      // The worker starts meanwhile.
      const asked = request.manifest === undefined ? { ...request, ...(await source.fetchManifest(signal)) } : request;
      const info = await transport.open(asked, options);
      source.request = { ...request, manifest: asked.manifest ?? info.manifest, isKnown: true };
      return info;
    };
    return openProxySession<M>({ ...transport, open }, source.request, { location: "local", signal, onProgress });
  };
}

/** Throws `no-backend` where there is no device for the backend, before its worker is downloaded in vain. */
async function checkDevice(backend: LocalBackend): Promise<void> {
  if (backend !== "webgpu" || (await navigator.gpu?.requestAdapter())) return;
  const reason = navigator.gpu ? "no adapter" : "no WebGPU";
  throw new InferenceError("no-backend", `backend "webgpu" cannot run here: ${reason}`);
}
