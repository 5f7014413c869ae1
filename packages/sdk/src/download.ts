import { InferenceError, type Manifest, type Progress, type Shard } from "@nearside/core";
import { readCachedShard, writeCachedShard } from "./model-cache.ts";
import type { ModelFiles } from "./model-files.ts";

/** The shards of a model: from the cache where they are, else from the network, verified, and kept for the next time. */
export interface ShardReader {
  read(shard: Shard, signal?: AbortSignal): Promise<ArrayBuffer>;
  /** Resolves when every shard read so far is in the cache. */
  settled(): Promise<void>;
}

export interface ShardReaderOptions {
  readonly cache: boolean;
  readonly onProgress: (progress: Pick<Progress, "loadedBytes" | "totalBytes" | "cachedBytes">) => void;
}

/** Reads the shards of a model. */
export function shardReader(
  files: ModelFiles,
  manifest: Manifest,
  { cache, onProgress }: ShardReaderOptions,
): ShardReader {
  const sizes = manifest.weightGroups.flatMap((group) => group.shards.map(({ bytes }) => bytes));
  const totalBytes = sizes.reduce<number | null>((sum, size) => (sum === null || size === null ? null : sum + size), 0);
  let loadedBytes = 0;
  let cachedBytes = 0;
  const report = () => onProgress({ loadedBytes, totalBytes, cachedBytes });
  const writes: Promise<void>[] = [];
  report();
  return {
    async read(shard, signal) {
      const cached = cache ? await readCachedShard(shard) : undefined;
      if (cached) {
        loadedBytes += cached.byteLength;
        cachedBytes += cached.byteLength;
        report();
        return cached;
      }
      const bytes = await fetchShard(files, shard, signal, (count) => {
        loadedBytes += count;
        report();
      });
      if (cache) writes.push(writeCachedShard(shard, bytes));
      return bytes;
    },
    async settled() {
      await Promise.all(writes);
    },
  };
}

async function fetchShard(
  { shardName, open }: ModelFiles,
  shard: Shard,
  signal: AbortSignal | undefined,
  onBytes: (count: number) => void,
): Promise<ArrayBuffer> {
  const name = shardName(shard);
  const response = await open(name, { signal: signal ?? null });
  const parts: Uint8Array<ArrayBuffer>[] = [];
  try {
    for await (const part of streamBody(response)) {
      parts.push(part);
      onBytes(part.byteLength);
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw new InferenceError("unavailable", `${name}: it could not be read to its end; try again`, { cause });
  }
  const bytes = await new Blob(parts).arrayBuffer();
  await verify(bytes, shard, name);
  return bytes;
}

/** The body part by part: Safari's ReadableStream cannot be iterated. */
async function* streamBody(response: Response): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) yield part.value;
}

async function verify(bytes: ArrayBuffer, shard: Shard, name: string): Promise<void> {
  if (shard.bytes !== null && bytes.byteLength !== shard.bytes) {
    throw broken(name, `${shard.bytes} bytes`, `${bytes.byteLength}`);
  }
  if (shard.sha256 === null) return;
  const hash = hex(await crypto.subtle.digest("SHA-256", bytes));
  if (hash !== shard.sha256) throw broken(name, `SHA-256 ${shard.sha256}`, hash);
}

function broken(name: string, expected: string, got: string): InferenceError {
  return new InferenceError("data-loss", `${name}: expected ${expected}, got ${got}; upload the model's files again`);
}

function hex(buffer: ArrayBuffer): string {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
