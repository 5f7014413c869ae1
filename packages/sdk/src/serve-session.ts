import {
  type CallOptions,
  createSessionHost,
  type Manifest,
  type OpenRequest,
  type Progress,
  parseManifest,
  type Session,
  type SessionInfo,
  type Shard,
} from "@nearside/core";
import { kernelsFor, type LoadedBackend, openLocalSession } from "@nearside/runtime";
import { type KeptAhead, readKeptAhead } from "./cache/kept-ahead.ts";
import { ModelCache } from "./cache/model-cache.ts";
import type { KeptShard } from "./cache/stores.ts";
import { filesAt, filesIn } from "./download/model-files.ts";
import { readManifest } from "./download/read-manifest.ts";
import { shardReader } from "./download/shard-reader.ts";
import { serveCalls } from "./serve-calls.ts";
import { ahead } from "./workers/begin-reading.ts";
import { build } from "./workers/build.ts";

/** Makes this worker the host of one session on the backend that `openBackend` loads. */
export function serveSession(openBackend: () => Promise<LoadedBackend>): void {
  const backend = openBackend(); // now, while the page still waits for model.json
  backend.catch(() => {}); // whoever opens the session hears of it
  serveCalls(createSessionHost((request, options) => open({ backend, ahead }, request, options)));
}

/** What began when the worker was started. */
interface Begun {
  readonly backend: Promise<LoadedBackend>;
  /** Of the model by whose URL the worker is called. */
  readonly ahead: KeptAhead | undefined;
}

async function open(
  begun: Begun,
  request: OpenRequest,
  { signal, onProgress }: CallOptions,
): Promise<Session & Pick<SessionInfo, "manifest">> {
  const { model, files, cache = true, warmUp = true, precision } = request;
  const ahead = cache ? (begun.ahead?.url === model ? begun.ahead : readKeptAhead(model, 0)) : undefined;
  const { manifest: text, addresses, isKnown } = await readManifest(request, signal, ahead?.model);
  const found = await ahead?.model;
  const kept = found?.manifest === text ? found : undefined;
  const manifest = withHashes(parseManifest(text, model), (isKnown && kept?.shards) || []);
  kernelsFor(manifest).catch(() => {}); // on their way while the backend starts; whoever needs them hears of it
  const all = manifest.weightGroups.flatMap(({ shards }) => shards);
  const hashes = all.flatMap(({ sha256 }) => sha256 ?? []);
  const modelCache = cache ? new ModelCache(model, hashes, ahead) : undefined;
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
  const source = files ? filesIn(files) : filesAt(addresses, request);
  const shards = shardReader(source, manifest, { cache: modelCache, signal, onProgress: report });
  const backend = await begun.backend;
  const here = JSON.stringify([build, backend.device, precision, navigator.userAgent]);
  let provenAt: string | undefined;
  const session = await openLocalSession(model, { manifest, readShard: shards.read }, backend, {
    warmUp,
    isProven: kept?.provenAt === here,
    onProven: () => {
      provenAt = here;
    },
    onShader: report,
    ...(precision && { precision }),
    ...(signal && { signal }),
  });
  const settled = await shards.settled();
  if (modelCache && settled.length === all.length) await modelCache.keepModel(text, settled, provenAt, found);
  report({ phase: "ready" });
  return Object.assign(session, request.manifest === undefined && { manifest: text });
}

/** The manifest, with what the cache knows of shards that have no hash there. */
function withHashes(manifest: Manifest, known: readonly KeptShard[]): Manifest {
  const hashed = (shard: Shard) =>
    shard.sha256 === null ? (known.find(({ path }) => path === shard.path) ?? shard) : shard;
  const weightGroups = manifest.weightGroups.map((group) => ({ ...group, shards: group.shards.map(hashed) }));
  return { ...manifest, weightGroups };
}
