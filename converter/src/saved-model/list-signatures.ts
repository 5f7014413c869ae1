import type { FileSource } from "../files.ts";
import { readModel } from "./saved-model.ts";
import { isInternal } from "./signature-graph.ts";

/** One graph of a SavedModel: its tags and the names of its signatures, both sorted. */
export interface GraphSignatures {
  readonly tags: readonly string[];
  readonly signatures: readonly string[];
}

/** The graphs of the SavedModel in `source`. Signatures that only TensorFlow itself calls are left out. */
export async function listSignatures(source: FileSource): Promise<readonly GraphSignatures[]> {
  const { metaGraphs } = await readModel(source);
  return metaGraphs.map(({ metaInfoDef, signatureDef }) => ({
    tags: [...(metaInfoDef?.tags ?? [])].sort(),
    signatures: [...signatureDef.keys()].filter((name) => !isInternal(name)).sort(),
  }));
}
