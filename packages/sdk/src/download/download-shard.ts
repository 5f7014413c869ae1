import { InferenceError, type Shard } from "@nearside/core";
import { retry } from "../retry.ts";
import { fetchFile } from "./fetch-file.ts";
import { PartialShard } from "./partial-shard.ts";
import { stallLimit } from "./stall-limit.ts";
import { verifyShard } from "./verify-shard.ts";

export interface DownloadOptions {
  readonly signal?: AbortSignal | undefined;
  /** What requests to an address are sent with. */
  readonly headersFor?: (url: string) => Readonly<Record<string, string>>;
  /** Hears of bytes as they come; of a negative number when they came in vain. */
  readonly onBytes?: (count: number) => void;
  /** The caller's copy, which is the result if the server still tells the same validator: nothing is downloaded then. */
  readonly copy?: DownloadedShard | undefined;
}

export interface DownloadedShard {
  readonly bytes: ArrayBuffer;
  /** Undefined where the platform has no SHA-256, and the bytes are what the network said they are. */
  readonly sha256: string | undefined;
  /** The server's `ETag` or `Last-Modified`, where it lets us see one. */
  readonly validator: string | undefined;
}

/**
 * Downloads a shard from the first of these addresses that has it, and verifies it. After a cut only the missing bytes
 * are asked for; what doesn't verify is asked for again, past the browser's HTTP cache. Rejects with `unavailable`,
 * `not-found`, or `data-loss` if the bytes aren't those of the manifest.
 *
 * The hash is computed by the platform when the shard is complete: it knows no streams, but is native, runs beside this
 * thread while other shards arrive, and adds nothing to the bundle. A shard, not a byte, is what is kept or thrown away.
 */
export async function downloadShard(
  urls: readonly string[],
  shard: Shard,
  { signal, headersFor = () => ({}), onBytes = () => {}, copy }: DownloadOptions = {},
): Promise<DownloadedShard> {
  const partial = new PartialShard(shard, onBytes);
  const attempt = async (url: string) => {
    try {
      return await complete(partial, url, shard.sha256 === null ? "no-cache" : "default");
    } catch (error) {
      if (!(error instanceof InferenceError) || error.code !== "data-loss") throw error;
      partial.discard();
      return complete(partial, url, "reload");
    }
  };
  return retry(urls, attempt, { signal, progress: () => partial.totalBytes });

  /** Gets what is missing, and the whole if the server has it no more as it was. */
  async function complete(partial: PartialShard, url: string, cache: RequestCache): Promise<DownloadedShard> {
    const missing = partial.resume(url);
    const limit = stallLimit(signal);
    try {
      // A part is not for the browser's HTTP cache, which would ask for others to complete what it has itself.
      const mode = missing.range ? "no-store" : cache;
      const headers = { ...headersFor(url), ...missing };
      const response = await fetchFile(url, { cache: mode, headers, signal: limit.signal });
      const validator = partial.begin(url, response);
      if (copy && validator !== undefined && validator === copy.validator) {
        await response.body?.cancel();
        return copy;
      }
      for await (const part of streamBody(response, url, limit.signal)) {
        partial.add(part);
        limit.extend();
      }
    } finally {
      limit.end();
    }
    const bytes = partial.join();
    return { bytes, sha256: await verifyShard(bytes, shard, url), validator: partial.validator };
  }
}

/** The body part by part: Safari's ReadableStream cannot be iterated. */
async function* streamBody(response: Response, url: string, signal: AbortSignal) {
  const reader = response.body?.getReader();
  try {
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) yield part.value;
  } catch (cause) {
    signal.throwIfAborted();
    throw new InferenceError("unavailable", `${url}: it could not be read to its end; try again`, { cause });
  } finally {
    await reader?.cancel().catch(() => {}); // ends the request where the reading ended early; else it is over
  }
}
