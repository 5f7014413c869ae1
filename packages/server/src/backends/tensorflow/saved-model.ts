import { dtypeFromTensorFlow, InferenceError, type Signature, type TensorSpec } from "@nearside/core";
import type { Proto } from "../../protobuf/codec.ts";
import { dataTypeName } from "../../protobuf/tensor-proto.ts";
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

/** A signature as it stands in the SavedModel, and the graph's tensors behind it. */
export interface SavedSignature {
  readonly signature: Signature;
  readonly names: GraphNames;
}

/**
 * Reads a signature of a SavedModel. Rejects with `not-found` where there is none of that name, `data-loss`, and
 * `no-backend` for one that no session can have: without outputs, or with tensors that aren't plain or sparse.
 */
export async function readSavedSignature({
  path,
  tags = ["serve"],
  signature = "serving_default",
}: SavedModelSource): Promise<SavedSignature> {
  const definition = (await readSignatureDefs(path, tags))?.get(signature);
  if (!definition) throw new InferenceError("not-found", `${path}: expected the signature "${signature}" of ${tags}`);
  if (definition.outputs.size === 0) throw cannotRun(`signature "${signature}" has no outputs to compute`);
  const inputs = partsOf(definition.inputs, "input");
  const outputs = partsOf(definition.outputs, "output");
  const specs = (parts: readonly Part[]) => Object.fromEntries(parts.map(({ key, spec }) => [key, spec]));
  const names = (parts: readonly Part[]) => new Map(parts.map(({ key, name }) => [key, name]));
  return {
    signature: { inputs: specs(inputs), outputs: specs(outputs) },
    names: { inputs: names(inputs), outputs: names(outputs) },
  };
}

/** The error for what the backend can't do. */
export function cannotRun(why: string): InferenceError {
  return new InferenceError("no-backend", `backend "tensorflow" cannot run this: ${why}`);
}

type TensorInfo = Proto<"tensorflow.TensorInfo">;

/** A tensor of the graph, and what the signature says of it. */
interface Part {
  readonly key: string;
  readonly name: string;
  readonly spec: TensorSpec;
}

function partsOf(infos: ReadonlyMap<string, TensorInfo>, what: "input" | "output"): readonly Part[] {
  return [...infos].flatMap(([key, info]) => expand(key, info, `${what} "${key}"`));
}

/** A sparse tensor is its parts, under the names that the converter gives them. */
function expand(key: string, { name, dtype, tensorShape, cooSparse }: TensorInfo, where: string): readonly Part[] {
  const shape = toShape(tensorShape);
  if (cooSparse) {
    const rank = shape?.length ?? null;
    const { indicesTensorName, valuesTensorName, denseShapeTensorName } = cooSparse;
    return [
      { key: `${key}/indices`, name: indicesTensorName, spec: { dtype: "int64", shape: [null, rank] } },
      { key: `${key}/values`, name: valuesTensorName, spec: { dtype: toDType(dtype, where), shape: [null] } },
      { key: `${key}/dense_shape`, name: denseShapeTensorName, spec: { dtype: "int64", shape: [rank] } },
    ];
  }
  if (!name) throw cannotRun(`its graph has no single tensor for ${where}`);
  return [{ key, name, spec: { dtype: toDType(dtype, where), shape } }];
}

function toDType(number: number, where: string): TensorSpec["dtype"] {
  const name = dataTypeName(number);
  const dtype = dtypeFromTensorFlow(name);
  if (dtype === undefined) throw cannotRun(`${where} is ${name}, which no tensor can hold`);
  return dtype;
}

/** A shape as TensorFlow writes it; without one nothing is known of it. */
function toShape(shape: TensorInfo["tensorShape"]): TensorSpec["shape"] {
  if (!shape || shape.unknownRank) return null;
  return shape.dim.map(({ size }) => (size < 0 ? null : Number(size)));
}
