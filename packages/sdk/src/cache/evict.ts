import { del, delMany, entries, keys } from "idb-keyval";
import type { KeptModel, Stores } from "./stores.ts";

/** What may not go. */
export interface Eviction {
  /** The model that is being opened, by its URL, and its shards by their hash. */
  readonly url: string;
  readonly hashes: ReadonlySet<string>;
}

/**
 * Makes room: deletes shards that no model names, which a download that was broken off leaves, else the model that was
 * not used for the longest time. False if there is nothing left to delete.
 */
export async function evict(stores: Stores, { url, hashes }: Eviction): Promise<boolean> {
  const [kept, models] = await Promise.all([keys<string>(stores.shards), entries<string, KeptModel>(stores.models)]);
  const named = new Set(models.flatMap(([, { shards }]) => shards.map(({ sha256 }) => sha256)));
  const orphans = kept.filter((hash) => !named.has(hash) && !hashes.has(hash));
  if (orphans.length > 0) {
    await delMany(orphans, stores.shards);
    return true;
  }
  const others = models.filter(([other]) => other !== url).sort(([, a], [, b]) => a.usedAtMs - b.usedAtMs);
  const [oldest] = others;
  if (!oldest) return false;
  await forgetModel(stores, oldest[0], hashes);
  return true;
}

/** Deletes a model, and those of its shards that no other model has and that aren't among `hashes`. */
export async function forgetModel(stores: Stores, url: string, hashes: ReadonlySet<string> = new Set()): Promise<void> {
  const models = await entries<string, KeptModel>(stores.models);
  const model = models.find(([other]) => other === url)?.[1];
  await del(url, stores.models); // first: a model that is there has its shards
  const named = models
    .filter(([other]) => other !== url)
    .flatMap(([, { shards }]) => shards.map(({ sha256 }) => sha256));
  const needed = new Set([...named, ...hashes]);
  const free = (model?.shards ?? []).filter(({ sha256 }) => !needed.has(sha256));
  await delMany(
    free.map(({ sha256 }) => sha256),
    stores.shards,
  );
  await delMany(
    free.map(({ path }) => new URL(path, url).href),
    stores.sources,
  );
}
