import {
  type CallOptions,
  createSessionHost,
  type Manifest,
  type OpenRequest,
  type Progress,
  parseManifest,
  type Session,
  type SessionHost,
  type Shard,
  type Tensors,
} from "@nearside/core";
import { type LoadedBackend, openLocalSession } from "@nearside/runtime";
import { expose, type ProxyMethods, releaseProxy, transfer } from "comlink";
import { buffersOf } from "./buffers-of.ts";
import { ModelCache, readKeptModel } from "./cache/model-cache.ts";
import type { KeptShard } from "./cache/stores.ts";
import { filesAt, filesIn } from "./download/model-files.ts";
import { shardReader } from "./download/shard-reader.ts";
import { holdLifeLock } from "./life-lock.ts";
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
  {
    model,
    addresses = [model],
    files,
    manifest: text = "",
    isKnown,
    cache = true,
    warmUp = true,
    precision,
  }: OpenRequest,
  { signal, onProgress }: CallOptions,
): Promise<Session> {
  const kept = cache && isKnown ? await readKeptModel(model) : undefined;
  const manifest = withHashes(parseManifest(text, model), kept?.manifest === text ? kept.shards : []);
  const all = manifest.weightGroups.flatMap(({ shards }) => shards);
  const hashes = all.flatMap(({ sha256 }) => sha256 ?? []);
  const modelCache = cache ? new ModelCache(model, hashes) : undefined;
  let progress: Progress = {
    phase: "download",
    loadedBytes: 0,
    totalBytes: null,
    cachedBytes: 0,
    compiledShaders: 0,
    totalShaders: null,
    cacheFailure: null,
  };
  const report = (changes: Partial<Progress>) => {
    progress = { ...progress, ...changes, cacheFailure: modelCache?.failure ?? null };
    onProgress?.(progress);
  };
  const source = files ? filesIn(files) : filesAt(addresses);
  const shards = shardReader(source, manifest, { cache: modelCache, signal, onProgress: report });
  const session = await openLocalSession(model, { manifest, readShard: shards.read }, await loading, {
    warmUp,
    onShader: report,
    ...(precision && { precision }),
    ...(signal && { signal }),
  });
  const settled = await shards.settled();
  if (modelCache && settled.length === all.length) await modelCache.keepModel(text, settled);
  report({ phase: "ready" });
  return session;
}

/** The manifest, with what the cache knows of shards that have no hash there. */
function withHashes(manifest: Manifest, known: readonly KeptShard[]): Manifest {
  const hashed = (shard: Shard) =>
    shard.sha256 === null ? (known.find(({ path }) => path === shard.path) ?? shard) : shard;
  const weightGroups = manifest.weightGroups.map((group) => ({ ...group, shards: group.shards.map(hashed) }));
  return { ...manifest, weightGroups };
}
