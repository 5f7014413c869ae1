import type { UseStore } from "idb-keyval";
import { openStore } from "./open-store.ts";

/**
 * What IndexedDB holds, a database each, since transactions across them aren't needed: bytes are found by their hash, so
 * that what names them may be lost or left behind without harm.
 */
export interface Stores {
  /** The bytes of a shard, by their SHA-256: models and versions share them. */
  readonly shards: UseStore;
  /** {@link KeptModel} by the URL of `model.json`, for models whose shards are all there. */
  readonly models: UseStore;
  /** {@link Source} by the URL of a shard that has no hash in its manifest. */
  readonly sources: UseStore;
}

export interface KeptModel {
  /** The text of `model.json`. */
  readonly manifest: string;
  readonly shards: readonly KeptShard[];
  /** Where its recorded run was checked, and by which software, so that it need not be again. */
  readonly provenAt?: string | undefined;
  /** When it was last opened, in milliseconds since 1970. */
  readonly usedAtMs: number;
}

export interface KeptShard {
  /** As the manifest names it. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What was last downloaded from an address, and what its server called that version. */
export interface Source {
  readonly sha256: string;
  readonly validator: string;
}

/** The stores of this origin; each is opened when it is first used. */
export function openStores(): Stores {
  return {
    shards: openStore("nearside", "shards"),
    models: openStore("nearside-models", "models"),
    sources: openStore("nearside-sources", "sources"),
  };
}
