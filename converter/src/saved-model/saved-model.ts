import { InferenceError } from "@nearside/core";
import { damaged } from "../damaged.ts";
import type { FileSource } from "../files.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { checkFilledConstants } from "./check-filled-constants.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { functionsFromProto, nodesFromProto, parseTensorName } from "./graph-def.ts";
import { decode, messages, type Proto } from "./messages.ts";
import { checkpointKeysByName } from "./object-graph.ts";
import { restoredVariables } from "./restored-variables.ts";
import { signatureGraph } from "./signature-graph.ts";
import { tableEntries } from "./table-entries.ts";
import { checkTextSize, decodeText } from "./text-format.ts";

/** One signature of a SavedModel: its graph, whose variables tell where their values lie, and the checkpoint. */
export interface SavedModel {
  /** The version of TensorFlow that wrote the model. */
  readonly tensorflowVersion: string;
  /** The version of the graph format. */
  readonly producer: number;
  readonly graph: Graph;
  readonly checkpoint: Checkpoint;
}

/**
 * Opens the SavedModel in `source`: the graph with exactly these tags, of this signature.
 * Throws `not-found` for a missing model, tag set or signature, saying which there are; `data-loss` for damage;
 * `unsupported` for a form that can't be read.
 */
export async function openSavedModel(
  source: FileSource,
  { signature, tags }: { readonly signature: string; readonly tags: readonly string[] },
): Promise<SavedModel> {
  const metaGraph = selectMetaGraph(await readModel(source), tags);
  const graphDef = metaGraph.graphDef;
  if (graphDef === undefined) throw damaged(path, "a graph", "none");
  checkFilledConstants(graphDef, path);
  const main: Graph = {
    nodes: nodesFromProto(graphDef.node, path),
    functions: functionsFromProto(graphDef.library?.function ?? [], path),
    inputs: [],
    outputs: [],
    controls: [],
  };
  const checkpoint = await openCheckpoint(source, "variables/variables");
  const withVariables = await bindCheckpoint(main, metaGraph.saverDef?.restoreOpName ?? "", checkpoint);
  const withValues = bindTables(withVariables, metaGraph);
  return {
    tensorflowVersion: metaGraph.metaInfoDef?.tensorflowVersion ?? "",
    producer: graphDef.versions?.producer ?? 0,
    graph: signatureGraph(withValues, metaGraph.signatureDef, signature),
    checkpoint,
  };
}

const path = "saved_model.pb";

const textPath = "saved_model.pbtxt";
const chunkedPath = "saved_model.cpb";

/** The file of a SavedModel, decoded. Throws `not-found`, `unsupported` for its other forms, `data-loss`. */
export async function readModel(source: FileSource): Promise<Proto<"SavedModel">> {
  const sizeBytes = await source.sizeBytes(path);
  if (sizeBytes === undefined) {
    const textBytes = await source.sizeBytes(textPath);
    if (textBytes !== undefined)
      return readTextModel(await source.read(textPath, 0, checkTextSize(textBytes, textPath)));
    if ((await source.sizeBytes(chunkedPath)) !== undefined) {
      const advice = `save it with a graph below 2 GiB, which TensorFlow writes as ${path}`;
      throw new InferenceError("unsupported", `expected ${path}, got ${chunkedPath}; ${advice}`);
    }
    const advice = "give the folder that tf.saved_model.save or model.export wrote";
    throw new InferenceError("not-found", `${path}: no such file in the model's folder; ${advice}`);
  }
  if (sizeBytes === 0 || sizeBytes >= 2 ** 31) throw damaged(path, "a file of up to 2 GiB", `${sizeBytes} bytes`);
  return decode("SavedModel", await source.read(path, 0, sizeBytes), path);
}

function readTextModel(bytes: Uint8Array): Proto<"SavedModel"> {
  const text = new TextDecoder().decode(bytes);
  // The values were read by the very tables that the type is inferred from.
  return decodeText(messages, "SavedModel", text, textPath) as Proto<"SavedModel">;
}

function selectMetaGraph(model: Proto<"SavedModel">, tags: readonly string[]): Proto<"MetaGraphDef"> {
  const name = (set: readonly string[]) => `[${[...set].sort().join(",")}]`;
  const there = model.metaGraphs.map((metaGraph) => ({ metaGraph, name: name(metaGraph.metaInfoDef?.tags ?? []) }));
  const found = there.find((candidate) => candidate.name === name(tags));
  if (found !== undefined) return found.metaGraph;
  if (there.length === 0) throw damaged(path, "a graph", "none");
  const list = there.map((candidate) => candidate.name).join(", ");
  throw new InferenceError("not-found", `tags ${name(tags)}: no graph of the model has them; it has ${list}`);
}

/** Gives each variable the place of its value: what the restore op fills it with, else what its name says. */
async function bindCheckpoint(main: Graph, restoreOp: string, checkpoint: Checkpoint): Promise<Graph> {
  const places = restoredVariables(main, restoreOp);
  const keysByName = await checkpointKeysByName(checkpoint);
  const nodes = new Map<string, Node>();
  for (const node of main.nodes.values()) {
    const place = variableOps.has(node.op) ? (places.get(node.name) ?? placeByName(node, keysByName)) : undefined;
    const value = place === undefined ? undefined : checkpoint.value(place.key, place.slice);
    nodes.set(node.name, value === undefined ? node : { ...node, value });
  }
  return { ...main, nodes };
}

/** Gives each lookup table what the model's initialisers fill it with. */
function bindTables(main: Graph, { signatureDef, collectionDef, assetFileDef }: Proto<"MetaGraphDef">): Graph {
  if (![...main.nodes.values()].some(({ op }) => tableOps.has(op))) return main;
  const signature = signatureDef.get("__saved_model_init_op")?.outputs.values() ?? [];
  const initialisers = [
    ...[...signature].map(({ name = "" }) => parseTensorName(name).node),
    ...initialiserCollections.flatMap((key) => collectionDef.get(key)?.nodeList?.value ?? []),
  ];
  const assets = new Map(
    assetFileDef.map(({ tensorInfo, filename }) => [parseTensorName(tensorInfo?.name ?? "").node, filename]),
  );
  const entries = tableEntries(main, initialisers, assets);
  const nodes = [...main.nodes.values()].map((node) => {
    const given = tableOps.has(node.op) ? entries.get(node.name) : undefined;
    return given === undefined ? node : { ...node, entries: given };
  });
  return { ...main, nodes: new Map(nodes.map((node) => [node.name, node])) };
}

/** Where TensorFlow 1 lists what to run when a model is loaded. */
const initialiserCollections = ["saved_model_main_op", "legacy_init_op", "table_initializer"] as const;
const tableOps: ReadonlySet<string> = new Set(["HashTable", "HashTableV2"]);

const variableOps: ReadonlySet<string> = new Set(["VarHandleOp", "VariableV2", "Variable"]);

function placeByName({ name, attrs }: Node, keysByName: ReadonlyMap<string, string>) {
  const shared = attrs.shared_name;
  const sharedName = shared !== undefined && "s" in shared ? new TextDecoder().decode(shared.s) : "";
  const key = keysByName.get(sharedName === "" ? name : sharedName);
  return key === undefined ? undefined : { key, slice: null };
}
