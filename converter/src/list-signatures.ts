import type { FileSource } from "./files.ts";
import { type GraphSignatures, openSavedModel } from "./saved-model/saved-model.ts";

/** The graphs of the SavedModel in `source`, by their tags, and the names of their signatures. Rejects as `convert`. */
export async function listSignatures(source: FileSource): Promise<readonly GraphSignatures[]> {
  const { graphs } = await openSavedModel(source);
  return graphs;
}
