import { del, delMany, entries, get, keys } from "idb-keyval";
import type { KeptModel, Stores } from "./stores.ts";

/** What may not go. */
export interface Eviction {
  /** The model that is being opened, by its URL, and its shards by their hash. */
  readonly url: string;
  readonly hashes: ReadonlySet<string>;
}

/**
 * Makes room: deletes shards that no model names, which a download that was broken off leaves, then models, the one used
 * longest ago first, until so many bytes are free. Returns how many are; the browser may take seconds to notice.
 */
export async function evict(stores: Stores, wantedBytes: number, { url, hashes }: Eviction): Promise<number> {
  const [kept, models] = await Promise.all([keys<string>(stores.shards), entries<string, KeptModel>(stores.models)]);
  const named = new Set(models.flatMap(([, { shards }]) => shards.map(({ sha256 }) => sha256)));
  let freedBytes = 0;
  for (const hash of kept.filter((hash) => !named.has(hash) && !hashes.has(hash))) {
    if (freedBytes >= wantedBytes) return freedBytes;
    freedBytes += (await get<ArrayBuffer>(hash, stores.shards))?.byteLength ?? 0;
    await del(hash, stores.shards);
  }
  const others = models.filter(([other]) => other !== url).sort(([, a], [, b]) => a.usedAtMs - b.usedAtMs);
  for (const [other] of others) {
    if (freedBytes >= wantedBytes) break;
    freedBytes += await forgetModel(stores, other, hashes);
  }
  return freedBytes;
}

/**
 * Deletes a model, and those of its shards that no other model has and that aren't among `hashes`. Returns the bytes of
 * these.
 */
export async function forgetModel(
  stores: Stores,
  url: string,
  hashes: ReadonlySet<string> = new Set(),
): Promise<number> {
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
  return free.reduce((sum, { bytes }) => sum + bytes, 0);
}
