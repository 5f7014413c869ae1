import { clear as clearStore, entries } from "idb-keyval";
import { forgetModel } from "./evict.ts";
import { type KeptModel, openStores } from "./stores.ts";

/** A model that opens without the network. */
export interface CachedModel {
  /** The URL of its `model.json`. */
  readonly url: string;
  /** Bytes of weights; models that share shards count them both. */
  readonly bytes: number;
  /** When it was last opened, give or take an hour. */
  readonly usedAt: Date;
}

/** The models that are kept whole, the one used last first. Rejects where the browser gives this site no storage. */
export async function models(): Promise<readonly CachedModel[]> {
  const kept = await entries<string, KeptModel>(openStores().models);
  return kept
    .sort(([, a], [, b]) => b.usedAtMs - a.usedAtMs)
    .map(([url, { shards, usedAtMs }]) => ({
      url,
      bytes: shards.reduce((sum, { bytes }) => sum + bytes, 0),
      usedAt: new Date(usedAtMs),
    }));
}

/** Deletes a model, but for the shards that others share. `url` is that of its `model.json`. */
export async function remove(url: string | URL): Promise<void> {
  await forgetModel(openStores(), new URL(url, globalThis.location?.href).href);
}

/** Deletes all that is kept of any model, parts of broken downloads, too. */
export async function clear(): Promise<void> {
  const { models, shards, sources } = openStores();
  for (const store of [models, shards, sources]) await clearStore(store);
}

/**
 * Asks the browser not to delete this site's data by itself when the disk is full; true if it agrees. Some browsers ask
 * the user, so call it when that is no surprise.
 */
export async function persist(): Promise<boolean> {
  return (await navigator.storage?.persist?.()) ?? false;
}
