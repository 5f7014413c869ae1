import type { Shard } from "@nearside/core";
import { createStore, get, set, type UseStore } from "idb-keyval";

let openStore: UseStore | undefined; // an IndexedDB connection, of which a thread needs one

function store(): UseStore {
  openStore ??= createStore("nearside", "shards");
  return openStore;
}

/** The shard's bytes if an earlier open kept them. They are found by content hash, so versions and models share them. */
export async function readCachedShard({ sha256, bytes }: Shard): Promise<ArrayBuffer | undefined> {
  if (sha256 === null) return undefined;
  try {
    const cached = await get<ArrayBuffer>(sha256, store());
    return cached?.byteLength === bytes ? cached : undefined;
  } catch (error) {
    warn(error);
    return undefined;
  }
}

/** Keeps a verified shard. Without storage (a private window, no space left) the model runs all the same. */
export async function writeCachedShard({ sha256 }: Shard, bytes: ArrayBuffer): Promise<void> {
  if (sha256 === null) return; // nothing to find it by: a model of the Python converter
  try {
    await set(sha256, bytes, store());
  } catch (error) {
    warn(error);
  }
}

function warn(error: unknown): void {
  console.warn("nearside: the browser keeps no weights, so each visit downloads them again:", error);
}
