import { InferenceError } from "@nearside/core";
import type { Proto } from "../../protobuf/codec.ts";
import { readSignatureDefs } from "../../saved-model-signatures.ts";

/** A signature of a SavedModel. */
export interface SavedModelSource {
  /** The folder that holds it. */
  readonly path: string;
  /** The tags of the graph (default `serve`). */
  readonly tags?: readonly string[];
  /** The name of the signature (default `serving_default`). */
  readonly signature?: string;
}

/** The graph's tensors behind a signature's names, as TensorFlow calls them (`serving_default_x:0`). */
export interface GraphNames {
  readonly inputs: ReadonlyMap<string, string>;
  readonly outputs: ReadonlyMap<string, string>;
}

/** Reads which tensors of the graph a signature's names stand for. Rejects with `not-found`, `data-loss`. */
export async function readGraphNames({
  path,
  tags = ["serve"],
  signature = "serving_default",
}: SavedModelSource): Promise<GraphNames> {
  const definition = (await readSignatureDefs(path, tags))?.get(signature);
  if (!definition) throw new InferenceError("not-found", `${path}: expected the signature "${signature}" of ${tags}`);
  return { inputs: namesOf(definition.inputs), outputs: namesOf(definition.outputs) };
}

/** A sparse tensor is its parts, under the names that the converter gives them. */
function namesOf(infos: ReadonlyMap<string, Proto<"tensorflow.TensorInfo">>): Map<string, string> {
  const names = new Map<string, string>();
  for (const [name, { name: tensor, cooSparse }] of infos) {
    if (!cooSparse) {
      names.set(name, tensor ?? "");
      continue;
    }
    names.set(`${name}/indices`, cooSparse.indicesTensorName);
    names.set(`${name}/values`, cooSparse.valuesTensorName);
    names.set(`${name}/dense_shape`, cooSparse.denseShapeTensorName);
  }
  return names;
}
