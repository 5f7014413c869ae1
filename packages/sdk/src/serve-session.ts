import {
  type CallOptions,
  createSessionHost,
  type OpenRequest,
  type Progress,
  parseManifest,
  type Session,
  type SessionHost,
  type Tensors,
} from "@nearside/core";
import { type LoadedBackend, openLocalSession } from "@nearside/runtime";
import { expose, type ProxyMethods, releaseProxy, transfer } from "comlink";
import { buffersOf } from "./buffers-of.ts";
import { shardReader } from "./download.ts";
import { holdLifeLock } from "./life-lock.ts";
import { filesAt, filesIn } from "./model-files.ts";
import type { WorkerHost } from "./worker-transport.ts";

/** Makes this worker the host of one session on the backend that `openBackend` loads. */
export function serveSession(openBackend: () => Promise<LoadedBackend>): void {
  const backend = openBackend(); // now, while the page still waits for model.json
  backend.catch(() => {}); // whoever opens the session hears of it
  const lifeLock = holdLifeLock();
  const host = createSessionHost((request, options) => open(backend, request, options));
  const call: SessionHost["call"] = async (id, method, request, onProgress) => {
    const envelope = await host.call(id, method, request, onProgress);
    (onProgress as Partial<ProxyMethods> | undefined)?.[releaseProxy]?.(); // it is the page's, behind a port of its own
    if (method !== "run" || "error" in envelope) return envelope;
    return transfer(envelope, buffersOf(envelope.reply as Tensors)); // a run's reply
  };
  const worker: WorkerHost = { ...host, call, lifeLock: () => lifeLock };
  expose(worker);
}

async function open(
  loading: Promise<LoadedBackend>,
  { model, files, manifest: text = "", cache = true, warmUp = true, precision = "float32" }: OpenRequest,
  { signal, onProgress }: CallOptions,
): Promise<Session> {
  const manifest = parseManifest(text, model);
  let progress: Progress = {
    loadedBytes: 0,
    totalBytes: null,
    cachedBytes: 0,
    compiledShaders: 0,
    totalShaders: null,
  };
  const report = (changes: Partial<Progress>) => {
    progress = { ...progress, ...changes };
    onProgress?.(progress);
  };
  const shards = shardReader(files ? filesIn(files) : filesAt(model), manifest, { cache, onProgress: report });
  const session = await openLocalSession(model, { manifest, readShard: shards.read }, await loading, {
    warmUp,
    precision,
    onShader: report,
    ...(signal && { signal }),
  });
  await shards.settled();
  return session;
}
