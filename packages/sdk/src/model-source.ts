import { InferenceError, type OpenRequest } from "@nearside/core";
import type { OpenOptions } from "./open-session.ts";

/** A model as each of its workers is asked to open it. */
export interface ModelSource {
  /** Once the model was open, with the text that it was opened from: opened again, it is the very same model. */
  request: OpenRequest;
  /**
   * Asks the network for `model.json`, until it had it once. Without a text where that isn't how to get it: then whoever
   * opens the model asks again, as long as it takes, and its mirrors and the cache, and tells what is wrong.
   */
  fetchManifest(signal: AbortSignal | undefined): Promise<FetchedManifest>;
}

type FetchedManifest = Pick<OpenRequest, "manifest" | "isUnreachable">;

/** Describes the model of a URL, or of files by path. */
export function modelSource(
  model: string | URL | ReadonlyMap<string, Blob>,
  { mirrors = [], headers = {}, cache = true, warmUp = true, precision = "float32" }: OpenOptions,
): ModelSource {
  const options = { warmUp, precision };
  if (!(typeof model === "string" || model instanceof URL)) {
    const files = parse(model, () => new Map([...model])); // plain, whatever a framework put around it
    return { request: { model: "model.json", files, cache: false, ...options }, fetchManifest: async () => ({}) };
  }
  const toHref = (address: string | URL) => parse(address, () => new URL(address, globalThis.location?.href).href);
  const [url = "", ...others] = [model, ...mirrors].map(toHref);
  let fetched: Promise<FetchedManifest> | undefined;
  return {
    request: { model: url, addresses: [url, ...others], headers, cache, ...options },
    fetchManifest(signal) {
      fetched ??= fetchText(url, headers, signal)
        // What fails while there is a network may be forbidden to this page alone, by its content security policy.
        .catch((): FetchedManifest => ({ isUnreachable: !navigator.onLine }))
        .then((found) => {
          if (found.manifest === undefined) fetched = undefined; // it may be there for the next who opens the model
          return found;
        });
      return fetched;
    },
  };
}

function parse<T>(value: unknown, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const message = `model: expected a URL or a Map of files, got ${value}`;
    throw new InferenceError("invalid-argument", message, { cause });
  }
}

async function fetchText(
  url: string,
  headers: NonNullable<OpenOptions["headers"]>,
  signal: AbortSignal | undefined,
): Promise<FetchedManifest> {
  const response = await fetch(url, { cache: "no-cache", headers, signal: signal ?? null }); // 304 if nothing has changed
  return response.ok ? { manifest: await response.text() } : { isUnreachable: response.status >= 500 };
}
