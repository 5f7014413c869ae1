import { readKeptModel, readVerified } from "./model-cache.ts";
import { type KeptModel, openStores } from "./stores.ts";

/** What is kept of a model, read before anybody says that it is wanted. */
export interface KeptAhead {
  /** The URL of the model's `model.json`. */
  readonly url: string;
  /** As the cache has it; undefined unless all of it is there. */
  readonly model: Promise<KeptModel | undefined>;
  /** The bytes with this hash, once, if they are among the first of the model and were right. */
  takeShard(hash: string): Promise<ArrayBuffer | undefined> | undefined;
}

/**
 * Reads a model that is kept, and so many of its first shards, while its worker is still getting ready: most visits open
 * what the last one kept. Whatever else they open, nothing of this is used that hasn't the very hash.
 */
export function readKeptAhead(url: string, shardCount: number): KeptAhead {
  const shards = new Map<string, Promise<ArrayBuffer | undefined>>();
  const stores = openStores();
  stores.shards("readonly", () => {}).catch(() => {}); // it is open when it is known which shards there are
  const model = readKeptModel(url, stores).then((kept) => {
    for (const { sha256 } of kept?.shards.slice(0, shardCount) ?? []) {
      shards.set(sha256, readVerified(sha256, stores));
    }
    return kept;
  });
  return {
    url,
    model,
    takeShard(hash) {
      const shard = shards.get(hash);
      shards.delete(hash);
      return shard;
    },
  };
}
