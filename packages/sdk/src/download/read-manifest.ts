import { InferenceError } from "@nearside/core";
import { readKeptModel } from "../cache/model-cache.ts";
import { retry } from "../retry.ts";
import { fetchFile } from "./fetch-file.ts";

/** `model.json` as it was found. */
export interface FoundManifest {
  readonly text: string;
  /** The addresses of the model, the one that gave this text first. */
  readonly addresses: readonly string[];
  /** Whether the text is the cache's, because the network has none: then the shards must be, too. */
  readonly isKnown: boolean;
}

export interface ManifestOptions {
  /** Take the cache's where the network has none. */
  readonly cache: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads `model.json` from the first of these addresses that has it; the cache knows the model by the first. The network
 * is asked each time, and answers 304 if nothing has changed.
 */
export async function readManifest(
  addresses: readonly [string, ...string[]],
  { cache, signal }: ManifestOptions,
): Promise<FoundManifest> {
  const read = async (address: string): Promise<FoundManifest> => {
    const response = await fetchFile(address, { cache: "no-cache", signal: signal ?? null });
    const others = addresses.filter((other) => other !== address);
    return { text: await readText(response, address, signal), addresses: [address, ...others], isKnown: false };
  };
  try {
    return await retry(addresses, read, { signal, rounds: 1 });
  } catch (error) {
    if (signal?.aborted || !(error instanceof InferenceError) || error.code !== "unavailable") throw error;
    const kept = cache ? await readKeptModel(addresses[0]) : undefined;
    return kept ? { text: kept.manifest, addresses, isKnown: true } : retry(addresses, read, { signal });
  }
}

async function readText(response: Response, address: string, signal: AbortSignal | undefined): Promise<string> {
  try {
    return await response.text();
  } catch (cause) {
    signal?.throwIfAborted();
    throw new InferenceError("unavailable", `${address}: it could not be read to its end; try again`, { cause });
  }
}
