import { InferenceError, type Manifest, type Progress, parseManifest, type Shard } from "@nearside/core";
import { readCachedShard, writeCachedShard } from "./model-cache.ts";

/** Fetches and parses `model.json`; always asks the network, which answers 304 if it has not changed. */
export async function fetchManifest(url: string, signal?: AbortSignal): Promise<Manifest> {
  const response = await get(url, { cache: "no-cache", signal: signal ?? null });
  return parseManifest(await response.text(), url);
}

/** The shards of a model: from the cache where they are, else from the network, verified, and kept for the next time. */
export interface ShardReader {
  read(shard: Shard, signal?: AbortSignal): Promise<ArrayBuffer>;
  /** Resolves when every shard read so far is in the cache. */
  settled(): Promise<void>;
}

export interface ShardReaderOptions {
  readonly cache: boolean;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Reads the shards of the model whose `model.json` is at `url`. */
export function shardReader(url: string, manifest: Manifest, { cache, onProgress }: ShardReaderOptions): ShardReader {
  const sizes = manifest.weightGroups.flatMap((group) => group.shards.map(({ bytes }) => bytes));
  const totalBytes = sizes.reduce<number | null>((sum, size) => (sum === null || size === null ? null : sum + size), 0);
  let loadedBytes = 0;
  let cachedBytes = 0;
  const report = () => onProgress?.({ loadedBytes, totalBytes, cachedBytes });
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
      const bytes = await fetchShard(shardUrl(url, shard), shard, signal, (count) => {
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

/** Shards lie beside `model.json`; a query (a signed URL's, say) holds for them too. */
function shardUrl(manifestUrl: string, { path }: Shard): string {
  const url = new URL(path, manifestUrl);
  if (url.search === "") url.search = new URL(manifestUrl).search;
  return url.href;
}

async function fetchShard(
  url: string,
  shard: Shard,
  signal: AbortSignal | undefined,
  onBytes: (count: number) => void,
): Promise<ArrayBuffer> {
  const response = await get(url, { signal: signal ?? null });
  const parts: Uint8Array<ArrayBuffer>[] = [];
  try {
    for await (const part of streamBody(response)) {
      parts.push(part);
      onBytes(part.byteLength);
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw new InferenceError("unavailable", `${url}: the connection broke off; try again`, { cause });
  }
  const bytes = await new Blob(parts).arrayBuffer();
  await verify(bytes, shard, url);
  return bytes;
}

/** The body part by part: Safari's ReadableStream cannot be iterated. */
async function* streamBody(response: Response): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) yield part.value;
}

async function verify(bytes: ArrayBuffer, shard: Shard, url: string): Promise<void> {
  if (shard.bytes !== null && bytes.byteLength !== shard.bytes) {
    throw broken(url, `${shard.bytes} bytes`, `${bytes.byteLength}`);
  }
  if (shard.sha256 === null) return;
  const hash = hex(await crypto.subtle.digest("SHA-256", bytes));
  if (hash !== shard.sha256) throw broken(url, `SHA-256 ${shard.sha256}`, hash);
}

function broken(url: string, expected: string, got: string): InferenceError {
  return new InferenceError("data-loss", `${url}: expected ${expected}, got ${got}; upload the model's files again`);
}

function hex(buffer: ArrayBuffer): string {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function get(url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (cause) {
    init.signal?.throwIfAborted();
    throw new InferenceError("unavailable", `${url} cannot be reached; check the address, the network and CORS`, {
      cause,
    });
  }
  if (response.ok) return response;
  const code = response.status === 404 || response.status === 410 ? "not-found" : "unavailable";
  throw new InferenceError(code, `${url}: HTTP ${response.status}; check the address`);
}
