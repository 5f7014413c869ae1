import type { ModelSource } from "../model-source.ts";
import { readManifest } from "./read-manifest.ts";

/** The text of a model's `model.json`, for what has to know it before a worker reads it. Rejects as opening would. */
export async function manifestOf(source: ModelSource, signal: AbortSignal | undefined): Promise<string> {
  const { request } = source;
  const asked = request.manifest === undefined ? { ...request, ...(await source.fetchManifest(signal)) } : request;
  const found = await readManifest(asked, signal);
  source.request = { ...source.request, ...found };
  return found.manifest;
}
