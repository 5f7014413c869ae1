import {
  type AnyModel,
  InferenceError,
  type ModelTypes,
  type Opener,
  type OpenRequest,
  openProxySession,
  openWithRecovery,
  type Precision,
  type Progress,
  type Session,
  type SessionEvent,
  type Transport,
} from "@nearside/core";
import { connectSession } from "./connect-session.ts";
import { filesAt, filesIn, readManifestText } from "./model-files.ts";
import type { ModelUrl } from "./model-url.ts";
import type { LocalBackend } from "./worker-scripts.ts";
import { workerTransport } from "./worker-transport.ts";

export interface OpenOptions {
  /**
   * The backends to try, in order (default webgpu, wasm, cpu). An empty list goes straight to the fallback. `auto` measures
   * webgpu, webgl and wasm on the model when it is first opened here, and remembers which was the fastest.
   */
  readonly backend?: LocalBackend | readonly LocalBackend[] | "auto";
  /** The server, and the model's name on it, to use when no backend here can run the model. */
  readonly fallback?: { readonly server: string | URL; readonly model: string };
  /** Keep the weights in IndexedDB, and take them from there the next time (default true). */
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
 * out of memory, the session opens again, from the weights in the cache, there or on the next backend or the server; see
 * `openWithRecovery`. Rejects with an `InferenceError`: `not-found`, `unavailable` (network), `data-loss` (a file is not
 * what it should be), `no-backend` (none can run it, and there is no fallback; the message tells each one's reason).
 */
export async function openSession<M extends ModelTypes = AnyModel>(
  model: ModelUrl<M> | URL | ReadonlyMap<string, Blob>,
  options: OpenOptions = {},
): Promise<Session<M>> {
  const { backend = ["webgpu", "wasm", "cpu"], fallback, signal, onProgress, onEvent } = options;
  signal?.throwIfAborted();
  const source = describeModel(model, options);
  let isOpen = false;
  const tellProgress = (progress: Progress) => {
    if (!isOpen) onProgress?.(progress); // opening it again is no progress of what the caller waits for
  };
  const openOn = (name: LocalBackend) => workerOpener<M>(name, source, tellProgress);
  const openers = [...(await openersOf(backend, source, openOn, signal))];
  if (fallback) {
    openers.push((signal) => connectSession(fallback.server, fallback.model, { ...(signal && { signal }) }));
  }
  const session = await openWithRecovery(source.request.model, openers, { signal, onEvent });
  isOpen = true;
  return session;
}

async function openersOf<M extends ModelTypes>(
  backend: NonNullable<OpenOptions["backend"]>,
  source: ModelSource,
  openOn: (name: LocalBackend) => Opener<M>,
  signal: AbortSignal | undefined,
): Promise<readonly Opener<M>[]> {
  if (backend !== "auto") return [backend].flat().map(openOn);
  const { fastestFirst } = await import("./fastest-backend.ts"); // which only pages download that ask for it
  const { precision } = source.request;
  return fastestFirst<M>({ manifest: await source.readManifest(signal), precision, openOn, signal });
}

/** The model as workers are asked to open it, and its `model.json`, which is the same each time. */
interface ModelSource {
  readonly request: OpenRequest;
  readManifest(signal: AbortSignal | undefined): Promise<string>;
}

function describeModel(
  model: string | URL | ReadonlyMap<string, Blob>,
  { cache = true, warmUp = true, precision = "float32" }: OpenOptions,
): ModelSource {
  const isUrl = typeof model === "string" || model instanceof URL;
  const request = isUrl
    ? { model: new URL(model, globalThis.location?.href).href, cache, warmUp, precision }
    : { model: "model.json", files: model, cache: false, warmUp, precision };
  let manifest: Promise<string> | undefined;
  return {
    request,
    readManifest(signal) {
      manifest ??= readManifestText(isUrl ? filesAt(request.model) : filesIn(model), signal);
      return manifest;
    },
  };
}

function workerOpener<M extends ModelTypes>(
  backend: LocalBackend,
  { request, readManifest }: ModelSource,
  onProgress: (progress: Progress) => void,
): Opener<M> {
  return async (signal) => {
    await checkDevice(backend);
    const transport = workerTransport(backend);
    const open: Transport["open"] = async (request, options) =>
      transport.open({ ...request, manifest: await readManifest(signal) }, options); // the worker starts meanwhile
    return openProxySession<M>({ ...transport, open }, request, { location: "local", signal, onProgress });
  };
}

/** Throws `no-backend` where there is no device for the backend, before its worker is downloaded in vain. */
async function checkDevice(backend: LocalBackend): Promise<void> {
  if (backend !== "webgpu" || (await navigator.gpu?.requestAdapter())) return;
  const reason = navigator.gpu ? "no adapter" : "no WebGPU";
  throw new InferenceError("no-backend", `backend "webgpu" cannot run here: ${reason}`);
}
