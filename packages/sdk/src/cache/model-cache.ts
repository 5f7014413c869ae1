import { get, set, type UseStore } from "idb-keyval";
import { sha256 } from "../download/sha256.ts";
import { evict } from "./evict.ts";
import type { KeptAhead } from "./kept-ahead.ts";
import { type KeptModel, type KeptShard, openStores, type Source, type Stores } from "./stores.ts";

/** How long a model may count as just used, so that not every visit writes. */
const usedForMs = 3_600_000;

/**
 * What is kept for the next visit while one model is opened. Shards are kept one by one as they come and found by their
 * hash, which is computed again when they are read: whatever a crash or a disk left behind, no wrong byte is served. A
 * model is written down when all its shards are there. Nothing here rejects: without storage (a private window, a full
 * disk, no permission) the model opens from the network, and `failure` tells why.
 */
export class ModelCache {
  readonly #url: string;
  readonly #stores: Stores = openStores();
  readonly #hashes: Set<string>;
  readonly #ahead: KeptAhead | undefined;
  #failure: string | null = null;
  /** Whether nothing can be kept at all, so that nothing more is tried. */
  #isOff = false;
  /** What couldn't be written for lack of room, and what was deleted for it. */
  #wantedBytes = 0;
  #freedBytes = 0;

  /** `hashes`: of the shards of this model, which are never deleted to make room for it. */
  constructor(url: string, hashes: Iterable<string>, ahead?: KeptAhead) {
    this.#url = url;
    this.#hashes = new Set(hashes);
    this.#ahead = ahead;
  }

  /** Why the next visit will download again; null while all is well. */
  get failure(): string | null {
    return this.#failure;
  }

  /** The bytes with this hash, if they are here. */
  async readShard(hash: string): Promise<ArrayBuffer | undefined> {
    return (await this.#ahead?.takeShard(hash)) ?? readVerified(hash, this.#stores);
  }

  /** Keeps bytes that were verified. False if that can't be. */
  async keepShard(hash: string, bytes: ArrayBuffer): Promise<boolean> {
    this.#hashes.add(hash);
    return this.#write(hash, bytes, this.#stores.shards, bytes.byteLength);
  }

  readSource(url: string): Promise<Source | undefined> {
    return read<Source>(url, this.#stores.sources);
  }

  async keepSource(url: string, { sha256, validator }: Source): Promise<void> {
    await this.#write(url, { sha256, validator }, this.#stores.sources);
  }

  /**
   * Writes the model down, whose shards are all there, where its recorded run was checked, and when it was used; `before`
   * is how it is written down already.
   */
  async keepModel(
    manifest: string,
    shards: readonly KeptShard[],
    provenAt: string | undefined,
    before: KeptModel | undefined,
    nowMs = Date.now(),
  ): Promise<void> {
    const isSame =
      before?.manifest === manifest && shards.every(({ sha256 }, at) => sha256 === before.shards[at]?.sha256);
    const isKnown = isSame && (provenAt === undefined || provenAt === before.provenAt);
    if (isKnown && nowMs - before.usedAtMs < usedForMs) return;
    const model: KeptModel = { manifest, shards, provenAt: provenAt ?? before?.provenAt, usedAtMs: nowMs };
    await this.#write(this.#url, model, this.#stores.models);
  }

  /** Writes; makes room for it once, where there is none. Others aren't deleted for more than this model needs. */
  async #write(key: string, value: unknown, store: UseStore, bytes = 0): Promise<boolean> {
    if (this.#isOff) return false;
    try {
      if (await fits(set(key, value, store))) return true;
      await this.#makeRoom(bytes);
      if (await fits(set(key, value, store))) return true;
      this.#failure = "there is no more room for this site's data, or not yet; free some, or keep fewer models";
    } catch (error) {
      this.#isOff = true;
      this.#failure = `the browser keeps nothing for this site: ${error instanceof Error ? error.message : error}`;
    }
    return false;
  }

  /** Deletes what is used least. Browsers don't tell their true quota, so nothing shows if that will be enough. */
  async #makeRoom(bytes: number): Promise<void> {
    this.#wantedBytes += bytes;
    const lackingBytes = this.#wantedBytes - this.#freedBytes;
    if (lackingBytes > 0)
      this.#freedBytes += await evict(this.#stores, lackingBytes, { url: this.#url, hashes: this.#hashes });
  }
}

/** The bytes with this hash, if they are here; not if they have changed. */
export async function readVerified(hash: string, { shards }: Stores): Promise<ArrayBuffer | undefined> {
  const bytes = await read<ArrayBuffer>(hash, shards);
  return bytes instanceof ArrayBuffer && (await sha256(bytes)) === hash ? bytes : undefined;
}

/** The model of this URL, if all of it is here. */
export function readKeptModel(url: string, stores = openStores()): Promise<KeptModel | undefined> {
  return read<KeptModel>(url, stores.models);
}

/** A value that can't be read isn't here: it is written anew, and if storage is at fault, that tells why. */
async function read<T>(key: string, store: UseStore): Promise<T | undefined> {
  try {
    return await get<T>(key, store);
  } catch {
    return undefined;
  }
}

/** False if there was no room. Chromium says so of the transaction, others of the request. */
async function fits(writing: Promise<void>): Promise<boolean> {
  try {
    await writing;
    return true;
  } catch (error) {
    if (error instanceof DOMException && error.name === "QuotaExceededError") return false;
    throw error;
  }
}
