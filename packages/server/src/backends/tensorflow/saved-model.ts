import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeText } from "@nearside/converter/protobuf";
import { InferenceError } from "@nearside/core";
import { decodeProto, type Proto } from "../../protobuf/codec.ts";
import { messages } from "../../protobuf/protos.ts";

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
  const { metaGraphs } = await readSavedModel(path);
  const wanted = [...tags].sort().join(",");
  const graph = metaGraphs.find(({ metaInfoDef }) => [...(metaInfoDef?.tags ?? [])].sort().join(",") === wanted);
  const definition = graph?.signatureDef.get(signature);
  if (!definition) throw new InferenceError("not-found", `${path}: expected the signature "${signature}" of ${wanted}`);
  return { inputs: namesOf(definition.inputs), outputs: namesOf(definition.outputs) };
}

async function readSavedModel(folder: string): Promise<Proto<"tensorflow.SavedModel">> {
  const path = join(folder, "saved_model.pb");
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes) return decodeProto("tensorflow.SavedModel", bytes, path);
  const textPath = join(folder, "saved_model.pbtxt");
  // The values are read by the very tables that the type is inferred from.
  return decodeText(
    messages,
    "tensorflow.SavedModel",
    await readFile(textPath, "utf8"),
    textPath,
  ) as Proto<"tensorflow.SavedModel">;
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
