import type { OpenRequest } from "@nearside/core";
import type { OpenOptions } from "./open-session.ts";

/** A model as each of its workers is asked to open it. */
export interface ModelSource {
  /** Once the model was open, with the text that it was opened from: opened again, it is the very same model. */
  request: OpenRequest;
  /**
   * Asks the network for `model.json`, once. Undefined where that isn't how to get it: then whoever opens the model
   * asks again, as long as it takes, and its mirrors and the cache, and tells what is wrong.
   */
  fetchManifest(signal: AbortSignal | undefined): Promise<string | undefined>;
}

/** Describes the model of a URL, or of files by path. */
export function modelSource(
  model: string | URL | ReadonlyMap<string, Blob>,
  { mirrors = [], headers = {}, cache = true, warmUp = true, precision = "float32" }: OpenOptions,
): ModelSource {
  const options = { warmUp, precision };
  if (!(typeof model === "string" || model instanceof URL)) {
    const request = { model: "model.json", files: model, cache: false, ...options };
    return { request, fetchManifest: async () => undefined };
  }
  const [url = "", ...others] = [model, ...mirrors].map((address) => new URL(address, globalThis.location?.href).href);
  let fetched: Promise<string | undefined> | undefined;
  return {
    request: { model: url, addresses: [url, ...others], headers, cache, ...options },
    fetchManifest(signal) {
      fetched ??= fetchText(url, headers, signal).catch(() => undefined);
      return fetched;
    },
  };
}

async function fetchText(
  url: string,
  headers: NonNullable<OpenOptions["headers"]>,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const response = await fetch(url, { cache: "no-cache", headers, signal: signal ?? null }); // 304 if nothing has changed
  return response.ok ? response.text() : undefined;
}
