import type { Manifest, Progress, Shard } from "@nearside/core";
import type { ModelCache } from "../cache/model-cache.ts";
import type { KeptShard } from "../cache/stores.ts";
import type { DownloadedShard } from "./download-shard.ts";
import { holdLock } from "./hold-lock.ts";
import type { ModelFiles } from "./model-files.ts";
import { readAhead } from "./read-ahead.ts";

/** So many shards are read at once, from the cache or the network. */
export const parallelShards = 4;

/** The shards of a model: from the cache where they are, else from the network, verified, and kept for the next time. */
export interface ShardReader {
  /** Reads a shard; the next ones are on their way, too. To be called in the manifest's order. */
  read(shard: Shard): Promise<ArrayBuffer>;
  /** Resolves when every shard read so far is in the cache, with what they are; without those that can't be kept. */
  settled(): Promise<readonly KeptShard[]>;
}

export interface ShardReaderOptions {
  readonly cache: ModelCache | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: Pick<Progress, "phase" | "loadedBytes" | "totalBytes" | "cachedBytes">) => void;
}

/** Reads the shards of a model. */
export function shardReader(
  files: ModelFiles,
  manifest: Manifest,
  { cache, signal, onProgress }: ShardReaderOptions,
): ShardReader {
  const shards = manifest.weightGroups.flatMap((group) => group.shards);
  const totalBytes = shards.reduce<number | null>(
    (sum, { bytes }) => (sum === null || bytes === null ? null : sum + bytes),
    0,
  );
  const last = shards.at(-1);
  let loadedBytes = 0;
  let cachedBytes = 0;
  const report = (phase: Progress["phase"]) => onProgress({ phase, loadedBytes, totalBytes, cachedBytes });
  const onBytes = (count: number) => {
    loadedBytes += count;
    report("download");
  };
  const kept: Promise<KeptShard | undefined>[] = [];
  report(last ? "download" : "compile");

  const take = readAhead(shards, parallelShards, async (shard) => {
    if (!cache) return (await files.download(shard, { signal, onBytes })).bytes;
    return shard.sha256 === null ? readByAddress(shard, cache) : readByHash(shard, shard.sha256, cache);
  });
  return {
    async read(shard) {
      const bytes = await take(shard);
      if (shard === last) report("compile");
      return bytes;
    },
    async settled() {
      return (await Promise.all(kept)).filter((shard) => shard !== undefined);
    },
  };

  async function readByHash(shard: Shard, hash: string, cache: ModelCache): Promise<ArrayBuffer> {
    const found = await cache.readShard(hash);
    if (found) return takeKept(shard, hash, found);
    return inTurn(`nearside shard ${hash}`, async (keep) => {
      const meanwhile = await cache.readShard(hash); // another tab may have downloaded it
      if (meanwhile) return takeKept(shard, hash, meanwhile);
      const downloaded = await files.download(shard, { signal, onBytes });
      keep(keepShard(shard, downloaded, cache));
      return downloaded.bytes;
    });
  }

  /** A shard without a hash is known by its address, and by what the server there calls its version. */
  async function readByAddress(shard: Shard, cache: ModelCache): Promise<ArrayBuffer> {
    const url = files.nameOf(shard);
    return inTurn(`nearside shard ${url}`, async (keep) => {
      const source = await cache.readSource(url);
      const bytes = source && (await cache.readShard(source.sha256));
      const copy = bytes && { ...source, bytes };
      const downloaded = await files.download(shard, { signal, onBytes, copy });
      if (downloaded === copy) return takeKept(shard, copy.sha256, copy.bytes);
      keep(
        keepShard(shard, downloaded, cache).then(async (kept) => {
          if (kept && downloaded.validator) await cache.keepSource(url, { ...kept, validator: downloaded.validator });
          return kept;
        }),
      );
      return downloaded.bytes;
    });
  }

  /** Reads while no other tab reads the same, until what is to be kept is; whoever waits for the bytes doesn't wait for that. */
  async function inTurn(
    lock: string,
    read: (keep: (saving: Promise<KeptShard | undefined>) => void) => Promise<ArrayBuffer>,
  ): Promise<ArrayBuffer> {
    const release = await holdLock(lock, signal);
    let saved: Promise<unknown> = Promise.resolve();
    try {
      return await read((saving) => {
        kept.push(saving);
        saved = saving;
      });
    } finally {
      void saved.then(release, release);
    }
  }

  function takeKept({ path }: Shard, sha256: string, bytes: ArrayBuffer): ArrayBuffer {
    cachedBytes += bytes.byteLength;
    onBytes(bytes.byteLength);
    kept.push(Promise.resolve({ path, bytes: bytes.byteLength, sha256 }));
    return bytes;
  }

  /** What was kept; undefined where nothing verified it, or there is no room. */
  async function keepShard({ path }: Shard, { bytes, sha256 }: DownloadedShard, cache: ModelCache) {
    if (sha256 === undefined || !(await cache.keepShard(sha256, bytes))) return undefined;
    return { path, bytes: bytes.byteLength, sha256 };
  }
}
