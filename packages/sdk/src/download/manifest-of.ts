import type { ModelSource } from "../model-source.ts";
import { readManifest } from "./read-manifest.ts";

/** The text of a model's `model.json`, for what has to know it before a worker reads it. Rejects as opening would. */
export async function manifestOf(source: ModelSource, signal: AbortSignal | undefined): Promise<string> {
  const manifest = source.request.manifest ?? (await source.fetchManifest(signal));
  const found = await readManifest({ ...source.request, manifest }, signal);
  source.request = { ...source.request, ...found };
  return found.manifest;
}
