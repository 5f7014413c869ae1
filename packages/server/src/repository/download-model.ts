import { createHash, randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { InferenceError, parseManifest, type Shard } from "@nearside/core";
import { isThere } from "../is-there.ts";

/** So many shards are downloaded at a time. */
const parallelShards = 4;

/** A model to download. */
export interface ModelDownload {
  /** Of its `model.json`. */
  readonly address: string;
  /** What stood there. */
  readonly text: string;
}

/** Asks for an address, as `fetch` does. */
export type Send = (address: string, init: RequestInit) => Promise<Response>;

/** How files are asked for. */
interface Asking {
  readonly signal: AbortSignal;
  readonly send: Send;
}

export interface DownloadOptions extends Asking {
  /** Throws if `model.json` isn't what it was any more. */
  readonly checkUnchanged: () => Promise<void>;
}

/**
 * Brings a model's shards into a folder and `model.json` last, so that a folder with that in it is complete. Each shard
 * is checked as it comes, and appears when it is whole; those with a hash that came before are not asked for again.
 * Rejects with `unavailable`, `not-found` or `data-loss`.
 */
export async function downloadModel(
  { address, text }: ModelDownload,
  folder: string,
  { signal, send, checkUnchanged }: DownloadOptions,
): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    const message = `downloads: cannot write to ${folder}; give a writable folder (cacheDir, --cache_dir)`;
    throw new InferenceError("unavailable", message, { cause });
  });
  const shards = parseManifest(text, address).weightGroups.flatMap((group) => group.shards);
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const waiting = shards.values();
  const download = async () => {
    for (const shard of waiting) await downloadShard(shard, address, folder, { signal: either, send });
  };
  try {
    await Promise.all(Array.from({ length: parallelShards }, download));
    if (shards.some(({ sha256 }) => sha256 === null)) await checkUnchanged(); // nothing else tells two versions' apart
    await appear(join(folder, "model.json"), (path) => writeFile(path, text));
  } finally {
    failed.abort(); // ends the others where one failed
  }
}

/** Whether a folder has all of its model. */
export function isComplete(folder: string): Promise<boolean> {
  return isThere(join(folder, "model.json"));
}

async function downloadShard(shard: Shard, address: string, folder: string, { signal, send }: Asking): Promise<void> {
  const target = join(folder, shard.path);
  if (shard.sha256 !== null && (await isThere(target))) return;
  const url = new URL(shard.path, address);
  if (url.search === "") url.search = new URL(address).search; // a signed address' holds for all files
  const { body } = await getFile(url.href, {}, { signal, send });
  await appear(target, async (path) => {
    const check = new ShardCheck(shard, url.href);
    const parts = body ? Readable.fromWeb(body as import("node:stream/web").ReadableStream) : Readable.from([]); // one type, declared twice
    await pipeline(parts, (bytes) => check.pass(bytes), createWriteStream(path), { signal }).catch((cause: unknown) => {
      signal.throwIfAborted();
      if (cause instanceof InferenceError) throw cause;
      throw new InferenceError("unavailable", `${url.href}: it could not be read to its end`, { cause });
    });
    check.end();
  });
}

/** Asks for a file. Resolves with what is there, or with 304; rejects with `unavailable` or `not-found`. */
export async function getFile(
  address: string,
  headers: Record<string, string>,
  { signal, send }: Asking,
): Promise<Response> {
  // By its own default, fetch would ask for the whole where there is a condition.
  const response = await send(address, { headers, signal, cache: "no-cache" }).catch((cause: unknown) => {
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
    throw new InferenceError("unavailable", `${address} cannot be reached: ${reason}`, { cause });
  });
  const { ok, status } = response;
  if (ok || status === 304) return response;
  await response.body?.cancel();
  const mayPass = status >= 500 || status === 408 || status === 429;
  throw new InferenceError(mayPass ? "unavailable" : "not-found", `${address}: HTTP ${status}; check the address`);
}

/** What has come of a shard, against what its manifest says. */
class ShardCheck {
  readonly #shard: Shard;
  readonly #address: string;
  readonly #hash = createHash("sha256");
  #bytes = 0;

  constructor(shard: Shard, address: string) {
    this.#shard = shard;
    this.#address = address;
  }

  async *pass(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    const { bytes } = this.#shard;
    for await (const part of parts) {
      this.#hash.update(part);
      this.#bytes += part.byteLength;
      if (bytes !== null && this.#bytes > bytes) throw this.#broken(`${bytes} bytes`, "more");
      yield part;
    }
  }

  /** Throws `data-loss` unless these were the shard's bytes. */
  end(): void {
    const { bytes, sha256 } = this.#shard;
    if (bytes !== null && this.#bytes !== bytes) throw this.#broken(`${bytes} bytes`, String(this.#bytes));
    const hash = this.#hash.digest("hex");
    if (sha256 !== null && hash !== sha256) throw this.#broken(`SHA-256 ${sha256}`, hash);
  }

  #broken(expected: string, got: string): InferenceError {
    const message = `${this.#address}: expected ${expected}, got ${got}; upload the model's files again`;
    return new InferenceError("data-loss", message);
  }
}

/** Has a file appear at a path once `write` has written it elsewhere, or not at all. */
async function appear(target: string, write: (path: string) => Promise<void>): Promise<void> {
  const temporary = `${target}.${randomUUID()}`;
  await mkdir(dirname(target), { recursive: true });
  try {
    await write(temporary);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
