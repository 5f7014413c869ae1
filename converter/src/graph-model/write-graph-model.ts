import { type Manifest, parseManifest } from "@nearside/core";
import type { FileSink } from "../files.ts";
import { allNodes } from "../graph/all-nodes.ts";
import type { Graph, Port } from "../graph/graph.ts";
import type { SavedModel } from "../saved-model/saved-model.ts";
import { version } from "../version.ts";
import { graphDefToJson, type Json, tensorInfoToJson } from "./graph-def-json.ts";
import { modelTypes } from "./model-types.ts";
import { listOwnOps } from "./own-ops.ts";
import { listStates, signaturePorts, statesToJson } from "./states.ts";
import { initialiserToJson, listTables, tableInputsToJson, withTableInputs } from "./tables.ts";
import { type UserMetadata, userMetadata } from "./user-metadata.ts";
import type { Weight } from "./weights.ts";
import { type WriteShardsOptions, type WrittenShard, writeShards } from "./write-shards.ts";

export interface WriteGraphModelOptions extends WriteShardsOptions {
  readonly metadata: UserMetadata;
  readonly structuredOutputs: boolean | undefined;
}

/**
 * Writes a graph as a TensorFlow.js graph model: the shards, then `model.json` and `model.d.ts`. The same graph always
 * becomes the same bytes. Returns the manifest as its readers will parse it.
 */
export async function writeGraphModel(
  { checkpoint, producer, tensorflowVersion }: SavedModel,
  graph: Graph,
  weights: readonly Weight[],
  sink: FileSink,
  options: WriteGraphModelOptions,
): Promise<Manifest> {
  const shards = await writeShards(weights, checkpoint, sink, options);
  const outputs = signaturePorts(graph.outputs);
  const userDefinedMetadata = userMetadata(options.metadata, outputs, options.structuredOutputs);
  const tables = listTables(graph);
  const inputs = { ...portsToJson(signaturePorts(graph.inputs)), ...tableInputsToJson(tables) };
  const states = listStates(graph);
  const ownOps = listOwnOps(allNodes(graph));
  const json: Json = {
    format: "graph-model",
    generatedBy: tensorflowVersion,
    convertedBy: `nearside ${version}`,
    signature: { inputs, outputs: portsToJson(outputs) },
    modelTopology: graphDefToJson(withTableInputs(graph, tables), producer),
    ...initialiserToJson(tables, producer),
    ...(userDefinedMetadata === undefined ? {} : { userDefinedMetadata }),
    weightsManifest: weightsManifest(weights, shards),
    // For whoever loads it: TensorFlow.js alone ignores this, and then doesn't know these ops or misses these inputs.
    ...(ownOps.length + states.length > 0 && {
      nearside: {
        ...(ownOps.length > 0 && { ops: ownOps }),
        ...(states.length > 0 && { state: statesToJson(states) }),
      },
    }),
  };
  return await writeManifest(json, sink);
}

/** Writes `model.json` and `model.d.ts`, and returns the manifest as its readers will parse it. */
export async function writeManifest(json: Json, sink: FileSink): Promise<Manifest> {
  const text = JSON.stringify(json);
  const manifest = parseManifest(text);
  const encoder = new TextEncoder();
  await sink.write("model.json", encoder.encode(text));
  await sink.write("model.d.ts", encoder.encode(modelTypes(manifest.signature)));
  return manifest;
}

/** The one group of weights that `model.json` lists. */
export function weightsManifest(weights: readonly Weight[], shards: readonly WrittenShard[]): Json {
  return [
    {
      paths: shards.map(({ path }) => path),
      weights: weights.map(weightToJson),
      shards: shards.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 })),
    },
  ];
}

function weightToJson({ name, shape, dtype, quantization }: Weight): Json {
  return { name, shape, dtype, ...(quantization === undefined ? {} : { quantization }) };
}

function portsToJson(ports: readonly Port[]): Readonly<Record<string, Json>> {
  return Object.fromEntries(ports.map((port) => [port.key, tensorInfoToJson(port)]));
}
