import { checkGraph } from "./check-graph.ts";
import type { DType } from "./dtype.ts";
import { InferenceError } from "./errors.ts";
import { array, broken, isObject, object, parseJson, string } from "./parse-json.ts";
import { parseQuantization, type Quantization } from "./quantization.ts";
import type { Signature, TensorSpec } from "./signature.ts";
import { dtypeFromTensorFlow } from "./tensorflow-dtype.ts";

/** One weights file: its path beside `model.json`, its size and, where the converter wrote it, its SHA-256 in hex. */
export interface Shard {
  readonly path: string;
  readonly bytes: number | null;
  readonly sha256: string | null;
}

/** A weight as TensorFlow.js describes it; `quantization` tells how its stored bytes become numbers. */
export interface WeightSpec {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly quantization?: Quantization;
}

/** Weights that lie end to end in their shards, in this order. */
export interface WeightGroup {
  readonly shards: readonly Shard[];
  readonly weights: readonly WeightSpec[];
}

/** A variable that each run changes: the nodes that take and return what it holds, and the weight that it holds at first. */
export interface StateEntry {
  readonly input: string;
  readonly output: string;
  readonly initial: string;
}

/** A signature key and the graph tensor (`Identity:0`) that it stands for. */
export type TensorNames = Readonly<Record<string, string>>;

/** `model.json`, parsed: the graph, the signature and the list of shards. */
export interface Manifest {
  readonly signature: Signature;
  /** Which graph tensor each input and output of the signature is. */
  readonly inputNames: TensorNames;
  readonly outputNames: TensorNames;
  readonly weightGroups: readonly WeightGroup[];
  /** The variables that a session keeps from run to run; none for most models. */
  readonly state: readonly StateEntry[];
  /** The int64 inputs that the graph takes as decimal texts, for ids beyond int32; none for most models. */
  readonly decimalInputs: readonly string[];
  /** The file as it was, for the loader of the graph: GraphDef JSON under `modelTopology`, and the rest. */
  readonly json: Readonly<Record<string, unknown>>;
}

/**
 * Parses `model.json` of a TensorFlow.js graph model, from this project's converter or the Python one.
 * Throws `data-loss` where it isn't one, `unsupported` for a dtype that no tensor has; both name the place.
 * Paths must stay below the manifest's own folder: no scheme, no leading slash, no `..`.
 */
export function parseManifest(text: string, where = "model.json"): Manifest {
  const json = object(parseJson(text, where), where);
  if (json.format !== "graph-model") {
    throw broken(where, 'format "graph-model"', JSON.stringify(json.format), "convert the SavedModel first");
  }
  const metadata = json.userDefinedMetadata;
  // tfjs lets a signature in the metadata win over the top-level one: models of older converters have it there.
  const declared = (isObject(metadata) ? metadata.signature : undefined) ?? json.signature;
  const signature = object(declared, `${where}: signature`);
  const inputs = parseTensorInfos(signature.inputs, `${where}: signature.inputs`);
  const outputs = parseTensorInfos(signature.outputs, `${where}: signature.outputs`);
  checkGraph(json.modelTopology, `${where}: modelTopology`);
  checkGraph(json.modelInitializer ?? {}, `${where}: modelInitializer`);
  return {
    signature: { inputs: inputs.specs, outputs: outputs.specs },
    inputNames: inputs.names,
    outputNames: outputs.names,
    weightGroups: array(json.weightsManifest ?? [], `${where}: weightsManifest`).map((group, index) =>
      parseWeightGroup(group, `${where}: weightsManifest[${index}]`),
    ),
    state: parseState(json.nearside, `${where}: nearside`),
    decimalInputs: parseDecimalInputs(json.nearside, inputs.specs, `${where}: nearside`),
    json,
  };
}

function parseTensorInfos(value: unknown, where: string): { specs: Record<string, TensorSpec>; names: TensorNames } {
  const specs: Record<string, TensorSpec> = {};
  const names: Record<string, string> = {};
  for (const [key, info] of Object.entries(object(value ?? {}, where))) {
    const { name, dtype, tensorShape, resourceId } = object(info, `${where}.${key}`);
    if (resourceId !== undefined) continue; // a table's handle, bound by the loader: not for the caller to give
    names[key] = string(name, `${where}.${key}.name`);
    specs[key] = {
      dtype: parseDType(dtype, `${where}.${key}.dtype`),
      shape: parseShape(tensorShape, `${where}.${key}`),
    };
  }
  return { specs, names };
}

function parseDType(value: unknown, where: string): DType {
  const dtype = dtypeFromTensorFlow(string(value, where));
  if (dtype === undefined) throw new InferenceError("unsupported", `${where}: no tensor can hold ${value}`);
  return dtype;
}

function parseShape(value: unknown, where: string): TensorSpec["shape"] {
  const shape = object(value ?? {}, `${where}.tensorShape`);
  if (shape.unknownRank === true) return null;
  return array(shape.dim ?? [], `${where}.tensorShape.dim`).map((dimension) => {
    const size = Number(object(dimension, `${where}.tensorShape.dim`).size ?? 0); // int64 is a string in proto JSON
    if (!Number.isSafeInteger(size)) throw broken(where, "whole dimensions", JSON.stringify(dimension));
    return size < 0 ? null : size;
  });
}

function parseWeightGroup(value: unknown, where: string): WeightGroup {
  const group = object(value, where);
  const paths = array(group.paths, `${where}.paths`).map((path) => parsePath(path, `${where}.paths`));
  const details = group.shards === undefined ? undefined : array(group.shards, `${where}.shards`);
  if (details && details.length !== paths.length) {
    throw broken(`${where}.shards`, `${paths.length} entries, one for each path`, String(details.length));
  }
  return {
    shards: paths.map((path, index) => parseShard(path, details?.[index], `${where}.shards[${index}]`)),
    weights: array(group.weights, `${where}.weights`).map((weight, index) =>
      parseWeight(weight, `${where}.weights[${index}]`),
    ),
  };
}

function parseShard(path: string, value: unknown, where: string): Shard {
  if (value === undefined) return { path, bytes: null, sha256: null }; // as the Python converter writes it: paths only
  const { bytes, sha256 } = object(value, where);
  if (!Number.isSafeInteger(bytes) || Number(bytes) < 0) throw broken(`${where}.bytes`, "a size", String(bytes));
  if (!/^[0-9a-f]{64}$/.test(String(sha256))) throw broken(`${where}.sha256`, "64 hex digits", String(sha256));
  return { path, bytes: Number(bytes), sha256: String(sha256) };
}

function parseWeight(value: unknown, where: string): WeightSpec {
  const { name, dtype, shape, quantization } = object(value, where);
  const dimensions = array(shape, `${where}.shape`).map(Number);
  if (!dimensions.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw broken(`${where}.shape`, "whole numbers ≥ 0", JSON.stringify(shape));
  }
  const weight = { name: string(name, `${where}.name`), dtype: string(dtype, `${where}.dtype`), shape: dimensions };
  if (quantization === undefined) return weight;
  const place = `${where}.quantization of "${weight.name}"`;
  return { ...weight, quantization: parseQuantization(object(quantization, place), weight, place) };
}

function parseState(nearside: unknown, where: string): readonly StateEntry[] {
  const { state = [] } = nearside === undefined ? {} : object(nearside, where);
  return array(state, `${where}.state`).map((entry, index) => {
    const { input, output, initial } = object(entry, `${where}.state[${index}]`);
    return {
      input: string(input, `${where}.state[${index}].input`),
      output: string(output, `${where}.state[${index}].output`),
      initial: string(initial, `${where}.state[${index}].initial`),
    };
  });
}

function parseDecimalInputs(nearside: unknown, inputs: Signature["inputs"], where: string): readonly string[] {
  const { decimalInputs = [] } = nearside === undefined ? {} : object(nearside, where);
  return array(decimalInputs, `${where}.decimalInputs`).map((value, index) => {
    const place = `${where}.decimalInputs[${index}]`;
    const key = string(value, place);
    const dtype = Object.hasOwn(inputs, key) ? inputs[key]?.dtype : undefined;
    if (dtype !== "int64") throw broken(place, "an int64 input of the signature", `"${key}" (${dtype ?? "no input"})`);
    return key;
  });
}

function parsePath(value: unknown, where: string): string {
  const path = string(value, where);
  const isInside = !/^[a-z][a-z0-9+.-]*:/i.test(path) && !/^[\\/]/.test(path) && !path.split(/[\\/]/).includes("..");
  if (!isInside || path === "") throw broken(where, "a path below model.json's folder", JSON.stringify(path));
  return path;
}
