import { InferenceError } from "@nearside/core";
import { damaged } from "../damaged.ts";
import type { FileSource } from "../files.ts";
import type { Graph, Port } from "../graph/graph.ts";
import { outputDataType } from "../graph/output-data-type.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { graphReader, parseTensorName } from "./graph-def.ts";
import { decode, type Proto } from "./messages.ts";
import type { SavedModel } from "./saved-model.ts";

/** A file with a graph whose variables are constants, and the nodes or tensors (`name`, `name:1`) to compute. */
export interface FrozenGraph {
  readonly file: string;
  readonly outputs: readonly string[];
}

/**
 * Opens a frozen graph as a model with one signature: its inputs are the placeholders that the outputs need, and inputs
 * and outputs go by their nodes' names. The shapes of the outputs are unknown; a GraphDef doesn't say them.
 * Throws `not-found` for a missing file or node, `data-loss` for damage, `unsupported` for variables.
 */
export async function openFrozenGraph(source: FileSource, { file, outputs }: FrozenGraph): Promise<SavedModel> {
  const graphDef = decode("GraphDef", await readGraph(source, file), file);
  const names = outputs.map((name) => parseTensorName(name).node);
  const graph = graphReader(graphDef, file)(names);
  return {
    tensorflowVersion: "",
    producer: graphDef.versions?.producer ?? 0,
    graph: {
      ...graph,
      inputs: inputPorts(graph),
      outputs: outputs.map((name) => outputPort(graphDef, graph, name, file)),
    },
    writers: () => new Map(),
    checkpoint: await openCheckpoint(source, `${file}: no checkpoint`),
  };
}

async function readGraph(source: FileSource, file: string): Promise<Uint8Array> {
  const sizeBytes = await source.sizeBytes(file);
  if (sizeBytes === undefined) throw new InferenceError("not-found", `${file}: no such file; give the frozen graph's`);
  if (sizeBytes === 0 || sizeBytes >= 2 ** 31) throw damaged(file, "a file of up to 2 GiB", `${sizeBytes} bytes`);
  const bytes = await source.read(file, 0, sizeBytes);
  if (bytes[0] !== savedModelStart) return bytes;
  const message = `${file}: expected a frozen graph, got a SavedModel; convert its folder as tf_saved_model`;
  throw new InferenceError("invalid-argument", message);
}

/** A SavedModel begins with its schema version, a GraphDef with a node. */
const savedModelStart = 0x08;

function outputPort({ node }: Proto<"GraphDef">, graph: Graph, name: string, file: string): Port {
  const tensor = parseTensorName(name);
  if (!graph.nodes.has(tensor.node)) {
    const ends = node.slice(-3).map((decodeNode) => JSON.stringify(decodeNode("NodeName").name));
    const message = `${file}: it has no node "${tensor.node}" to compute; its last ones are ${ends.join(", ")}`;
    throw new InferenceError("not-found", message);
  }
  const dtype = outputDataType(graph, tensor);
  if (dtype !== undefined) return { key: name, tensor, dtype, shape: null };
  const message = `${file}: output "${name}": its dtype can't be told; add an Identity after it and compute that`;
  throw new InferenceError("unsupported", message);
}

function inputPorts(graph: Graph): readonly Port[] {
  return [...graph.nodes.values()].flatMap(({ name, op, attrs }) => {
    if (op !== "Placeholder") return [];
    const dtype = outputDataType(graph, { node: name, output: 0 });
    const shape = attrs.shape !== undefined && "shape" in attrs.shape ? attrs.shape.shape : null;
    return dtype === undefined ? [] : [{ key: name, tensor: { node: name, output: 0 }, dtype, shape }];
  });
}
