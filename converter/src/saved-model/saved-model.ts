import { InferenceError } from "@nearside/core";
import { damaged } from "../damaged.ts";
import type { FileSource } from "../files.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { variableOps } from "../graph/variable-access.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { graphReader, parseTensorName, type ReadGraph } from "./graph-def.ts";
import { decode, messages, type Proto } from "./messages.ts";
import { checkpointKeysByName } from "./object-graph.ts";
import { type CheckpointPlace, restoredVariables } from "./restored-variables.ts";
import { isInternal, signatureGraph } from "./signature-graph.ts";
import { tensorNames } from "./signature-ports.ts";
import { bindTables, hasTables, tableEntries } from "./table-entries.ts";
import { checkTextSize, decodeText } from "./text-format.ts";
import { variableWriters } from "./variable-writers.ts";

/** One signature of a SavedModel: its graph, whose variables tell where their values lie, and the checkpoint. */
export interface SavedModel {
  /** The version of TensorFlow that wrote the model. */
  readonly tensorflowVersion: string;
  /** The version of the graph format. */
  readonly producer: number;
  readonly graph: Graph;
  /** The model's other signatures that write to each variable, by the variable's name. */
  writers(): ReadonlyMap<string, readonly string[]>;
  readonly checkpoint: Checkpoint;
}

/** A graph of a SavedModel: its tags and the names of its signatures, both sorted. */
export interface GraphSignatures {
  readonly tags: readonly string[];
  /** Without those that only TensorFlow itself calls. */
  readonly signatures: readonly string[];
}

/** A SavedModel whose file is read. Of its graphs, only what a signature needs is decoded. */
export interface SignatureSource {
  readonly graphs: readonly GraphSignatures[];
  /**
   * The graph with exactly these tags, of this signature. Rejects with `not-found` for a missing tag set or signature,
   * saying which there are; `data-loss` for damage; `unsupported` for a form that can't be read.
   */
  open(signature: string, tags: readonly string[]): Promise<SavedModel>;
}

/**
 * Reads the SavedModel in `source`. Rejects with `not-found` where there is none, `data-loss` for damage,
 * `unsupported` for a form that can't be read.
 */
export async function openSavedModel(source: FileSource): Promise<SignatureSource> {
  const { metaGraphs } = await readModel(source);
  let checkpoint: Promise<Checkpoint> | undefined;
  const openCheckpointOnce = () => (checkpoint ??= openCheckpoint(source, "variables/variables"));
  const graphs = metaGraphs.map((metaGraph) => openGraph(metaGraph, openCheckpointOnce));
  return {
    graphs: graphs.map(({ tags, signatures }) => ({ tags, signatures })),
    open: async (signature, tags) => await selectGraph(graphs, tags).open(signature),
  };
}

interface OpenGraph extends GraphSignatures {
  open(signature: string): Promise<SavedModel>;
}

function openGraph(metaGraph: Proto<"MetaGraphDef">, openCheckpointOnce: () => Promise<Checkpoint>): OpenGraph {
  const { graphDef, metaInfoDef, saverDef, signatureDef } = metaGraph;
  const restoreOp = saverDef?.restoreOpName ?? "";
  let reader: ReadGraph | undefined;
  const readerOnce = (graphDef: Proto<"GraphDef">) => (reader ??= graphReader(graphDef, path));
  let places: ReturnType<typeof restoredVariables> | undefined;
  return {
    tags: [...(metaInfoDef?.tags ?? [])].sort(),
    signatures: [...signatureDef.keys()].filter((name) => !isInternal(name)).sort(),
    async open(signature) {
      if (graphDef === undefined) throw damaged(path, "a graph", "none");
      const read = readerOnce(graphDef);
      const main = read(signatureNodes(signatureDef.get(signature)));
      const checkpoint = await openCheckpointOnce();
      places ??= restoredVariables(read([restoreOp]), restoreOp);
      const withVariables = await bindCheckpoint(main, places, checkpoint);
      const withValues = fillTables(withVariables, metaGraph, read);
      return {
        tensorflowVersion: metaInfoDef?.tensorflowVersion ?? "",
        producer: graphDef.versions?.producer ?? 0,
        graph: signatureGraph(withValues, signatureDef, signature),
        writers: () => variableWriters((of) => read(signatureNodes(of)), signatureDef, signature),
        checkpoint,
      };
    },
  };
}

const path = "saved_model.pb";

const textPath = "saved_model.pbtxt";
const chunkedPath = "saved_model.cpb";

/** The file of a SavedModel, decoded. Throws `not-found`, `unsupported` for its other forms, `data-loss`. */
async function readModel(source: FileSource): Promise<Proto<"SavedModel">> {
  const sizeBytes = await source.sizeBytes(path);
  if (sizeBytes === undefined) {
    const textBytes = await source.sizeBytes(textPath);
    if (textBytes !== undefined)
      return readTextModel(await source.read(textPath, 0, checkTextSize(textBytes, textPath)));
    if ((await source.sizeBytes(chunkedPath)) !== undefined) {
      const advice = `save it with a graph below 2 GiB, which TensorFlow writes as ${path}`;
      throw new InferenceError("unsupported", `expected ${path}, got ${chunkedPath}; ${advice}`);
    }
    const isConverted = (await source.sizeBytes("model.json")) !== undefined;
    const advice = isConverted
      ? "it has a model.json: repack a converted model, or use --input_format=tfjs_graph_model"
      : "give the folder that tf.saved_model.save or model.export wrote";
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

function selectGraph(graphs: readonly OpenGraph[], tags: readonly string[]): OpenGraph {
  const name = (set: readonly string[]) => `[${[...set].sort().join(",")}]`;
  const found = graphs.find((graph) => name(graph.tags) === name(tags));
  if (found !== undefined) return found;
  if (graphs.length === 0) throw damaged(path, "a graph", "none");
  const list = graphs.map((graph) => name(graph.tags)).join(", ");
  throw new InferenceError("not-found", `tags ${name(tags)}: no graph of the model has them; it has ${list}`);
}

/** Gives each variable the place of its value: what the restore op fills it with, else what its name says. */
async function bindCheckpoint(
  main: Graph,
  places: ReadonlyMap<string, CheckpointPlace>,
  checkpoint: Checkpoint,
): Promise<Graph> {
  const nodes = new Map<string, Node>();
  let keysByName: ReadonlyMap<string, string> | undefined;
  for (const node of main.nodes.values()) {
    let place = variableOps.has(node.op) ? places.get(node.name) : undefined;
    if (variableOps.has(node.op) && place === undefined) {
      keysByName ??= await checkpointKeysByName(checkpoint);
      place = placeByName(node, keysByName);
    }
    const value = place === undefined ? undefined : checkpoint.value(place.key, place.slice);
    nodes.set(node.name, value === undefined ? node : { ...node, value });
  }
  return { ...main, nodes };
}

/** Gives each lookup table what the model's initialisers fill it with. */
function fillTables(main: Graph, metaGraph: Proto<"MetaGraphDef">, read: ReadGraph): Graph {
  if (!hasTables(main)) return main;
  const { signatureDef, collectionDef, assetFileDef } = metaGraph;
  const initialisers = [
    ...signatureNodes(signatureDef.get("__saved_model_init_op")),
    ...initialiserCollections.flatMap((key) => collectionDef.get(key)?.nodeList?.value ?? []),
  ].map((name) => parseTensorName(name).node);
  const listed = collectionDef.get("saved_model_assets")?.anyList?.value ?? []; // where TensorFlow 1 lists them
  const assetFiles = [...assetFileDef, ...listed.map(({ value }) => decode("AssetFileDef", value, path))];
  const assets = new Map(
    assetFiles.map(({ tensorInfo, filename }) => [parseTensorName(tensorInfo?.name ?? "").node, filename]),
  );
  return bindTables(main, tableEntries(read(initialisers), initialisers, assets));
}

/** The nodes of a signature's inputs and outputs. */
function signatureNodes(signature: Proto<"SignatureDef"> | undefined): readonly string[] {
  const infos = signature === undefined ? [] : [...signature.inputs.values(), ...signature.outputs.values()];
  return infos.flatMap(tensorNames).map((name) => parseTensorName(name).node);
}

/** Where TensorFlow 1 lists what to run when a model is loaded. */
const initialiserCollections = ["saved_model_main_op", "legacy_init_op", "table_initializer"] as const;

function placeByName({ name, attrs }: Node, keysByName: ReadonlyMap<string, string>) {
  const shared = attrs.shared_name;
  const sharedName = shared !== undefined && "s" in shared ? new TextDecoder().decode(shared.s) : "";
  const key = keysByName.get(sharedName === "" ? name : sharedName);
  return key === undefined ? undefined : { key, slice: null };
}
