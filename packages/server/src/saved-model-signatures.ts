import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeText } from "@nearside/converter/protobuf";
import type { Manifest, TensorSpec } from "@nearside/core";
import { decodeProto, type Proto } from "./protobuf/codec.ts";
import { messages } from "./protobuf/protos.ts";
import { dataTypeNumber } from "./protobuf/tensor-proto.ts";

/** The signatures of a model by their names, as its author declared them. */
export type SignatureDefs = ReadonlyMap<string, Proto<"tensorflow.SignatureDef">>;

/** The signatures of the SavedModel in `folder`, of its graph with these tags; undefined where there is no SavedModel. */
export async function readSignatureDefs(folder: string, tags: readonly string[]): Promise<SignatureDefs | undefined> {
  const wanted = [...tags].sort().join(",");
  const model = await readSavedModel(folder);
  const graph = model?.metaGraphs.find(({ metaInfoDef }) => [...(metaInfoDef?.tags ?? [])].sort().join(",") === wanted);
  return graph?.signatureDef;
}

async function readSavedModel(folder: string): Promise<Proto<"tensorflow.SavedModel"> | undefined> {
  const path = join(folder, "saved_model.pb");
  const bytes = await readIfThere(path);
  if (bytes) return decodeProto("tensorflow.SavedModel", bytes, path);
  const textPath = join(folder, "saved_model.pbtxt");
  const text = await readIfThere(textPath);
  if (text === undefined) return undefined;
  // The values were read by the very tables that the type is inferred from.
  return decodeText(
    messages,
    "tensorflow.SavedModel",
    new TextDecoder().decode(text),
    textPath,
  ) as Proto<"tensorflow.SavedModel">;
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** The signature that a graph model was converted from, as far as `model.json` has it. */
export function toSignatureDef({ signature, inputNames, outputNames }: Manifest): Proto<"tensorflow.SignatureDef"> {
  const infos = (specs: Readonly<Record<string, TensorSpec>>, names: Readonly<Record<string, string>>) =>
    new Map(Object.entries(specs).map(([key, spec]) => [key, toTensorInfo(names[key] ?? key, spec)]));
  return {
    inputs: infos(signature.inputs, inputNames),
    outputs: infos(signature.outputs, outputNames),
    methodName: "tensorflow/serving/predict",
  };
}

function toTensorInfo(name: string, { dtype, shape }: TensorSpec): Proto<"tensorflow.TensorInfo"> {
  const dim = (shape ?? []).map((size) => ({ size: size ?? -1, name: "" }));
  return {
    name,
    dtype: dataTypeNumber(dtype),
    tensorShape: { dim, unknownRank: shape === null },
    cooSparse: undefined,
    compositeTensor: undefined,
  };
}
