import { InferenceError, type OpenRequest } from "@nearside/core";
import { readKeptModel } from "../cache/model-cache.ts";
import type { KeptModel } from "../cache/stores.ts";
import { retry } from "../retry.ts";
import { fetchFile } from "./fetch-file.ts";
import { ownHeaders } from "./own-headers.ts";
import { readBlob } from "./read-blob.ts";

/** `model.json` as it was found. */
export interface FoundManifest {
  /** The text. */
  readonly manifest: string;
  /** The addresses of the model, the one that gave this text first. */
  readonly addresses: readonly string[];
  /** Whether the shards must be those that the cache knows: the text is from there, because the network has none. */
  readonly isKnown: boolean;
}

/**
 * Finds the `model.json` of a model: the text that is given, among its files, or at the first of its addresses that has
 * it, of which the page has asked the first in vain. The cache's is taken where the network has none; `ahead` is what
 * was read of it already.
 */
export async function readManifest(
  { model, files, addresses = [model], headers, manifest, isUnreachable, isKnown = false, cache = true }: OpenRequest,
  signal: AbortSignal | undefined,
  ahead?: Promise<KeptModel | undefined>,
): Promise<FoundManifest> {
  if (manifest !== undefined) return { manifest, addresses, isKnown };
  if (files) return { manifest: await readBlob(files, model).text(), addresses, isKnown };
  const read = async (address: string): Promise<FoundManifest> => {
    const own = ownHeaders(address, model, headers);
    const response = await fetchFile(address, { cache: "no-cache", headers: own, signal: signal ?? null });
    const others = addresses.filter((other) => other !== address);
    return { manifest: await readText(response, address, signal), addresses: [address, ...others], isKnown };
  };
  const mirrors = addresses.slice(1);
  const inOrder = [...mirrors, ...addresses.slice(0, 1)];
  try {
    const asked = isUnreachable ? mirrors : inOrder;
    if (asked.length > 0) return await retry(asked, read, { signal, rounds: 1 });
  } catch (error) {
    const isUnavailable = isUnreachable || (error instanceof InferenceError && error.code === "unavailable");
    if (signal?.aborted || !isUnavailable) throw error;
  }
  const kept = cache ? ((await ahead) ?? (await readKeptModel(model))) : undefined;
  return kept ? { manifest: kept.manifest, addresses, isKnown: true } : retry(inOrder, read, { signal });
}

async function readText(response: Response, address: string, signal: AbortSignal | undefined): Promise<string> {
  try {
    return await response.text();
  } catch (cause) {
    signal?.throwIfAborted();
    throw new InferenceError("unavailable", `${address}: it could not be read to its end; try again`, { cause });
  }
}
