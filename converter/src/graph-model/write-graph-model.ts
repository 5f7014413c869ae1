import { type Manifest, parseManifest } from "@nearside/core";
import type { FileSink } from "../files.ts";
import { allNodes } from "../graph/all-nodes.ts";
import type { Graph, Port } from "../graph/graph.ts";
import type { Checkpoint } from "../saved-model/checkpoint.ts";
import type { SavedModel } from "../saved-model/saved-model.ts";
import { version } from "../version.ts";
import { listDecimalInputs } from "./decimal-keys.ts";
import { graphDefToJson, type Json, tensorInfoToJson } from "./graph-def-json.ts";
import { modelTypes } from "./model-types.ts";
import { listOwnOps } from "./own-ops.ts";
import { listStates, signaturePorts, statesToJson } from "./states.ts";
import { initialiserToJson, listTables, tableInputsToJson, withTableInputs } from "./tables.ts";
import { type UserMetadata, userMetadata } from "./user-metadata.ts";
import type { Weight } from "./weights.ts";
import { type WriteShardsOptions, writeShards } from "./write-shards.ts";

/** All that `model.json` says besides its weights. */
export interface ModelDescription {
  readonly json: Readonly<Record<string, Json>>;
  /** The ops in it that only our runtime has. */
  readonly ownOps: readonly string[];
  /** The variables that a session keeps from run to run, as {@link statesToJson} names them. */
  readonly state: readonly Json[];
  /** The int64 inputs that the graph takes as decimal texts. */
  readonly decimalInputs: readonly string[];
}

export interface DescribeOptions {
  readonly metadata: UserMetadata;
  readonly structuredOutputs: boolean | undefined;
}

/** What `model.json` says of a graph, always in the same order. */
export function describeGraphModel(
  { producer, tensorflowVersion }: SavedModel,
  graph: Graph,
  { metadata, structuredOutputs }: DescribeOptions,
): ModelDescription {
  const outputs = signaturePorts(graph.outputs);
  const userDefinedMetadata = userMetadata(metadata, outputs, structuredOutputs);
  const tables = listTables(graph);
  const inputs = { ...portsToJson(signaturePorts(graph.inputs)), ...tableInputsToJson(tables) };
  const json = {
    format: "graph-model",
    generatedBy: tensorflowVersion,
    convertedBy: `nearside ${version}`,
    signature: { inputs, outputs: portsToJson(outputs) },
    modelTopology: graphDefToJson(withTableInputs(graph, tables), producer),
    ...initialiserToJson(tables, producer),
    ...(userDefinedMetadata === undefined ? {} : { userDefinedMetadata }),
  };
  return {
    json,
    ownOps: listOwnOps(allNodes(graph)),
    state: statesToJson(listStates(graph)),
    decimalInputs: listDecimalInputs(graph),
  };
}

/**
 * Writes a TensorFlow.js graph model: the shards, then `model.json` and `model.d.ts`. The same model always becomes the
 * same bytes. Returns the manifest as its readers will parse it.
 */
export async function writeGraphModel(
  description: ModelDescription,
  weights: readonly Weight[],
  checkpoint: Checkpoint,
  sink: FileSink,
  options: WriteShardsOptions,
): Promise<Manifest> {
  const shards = await writeShards(weights, checkpoint, sink, options);
  const text = modelToJson(description, weights, {
    paths: shards.map(({ path }) => path),
    shards: shards.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 })),
  });
  const manifest = parseManifest(text);
  const encoder = new TextEncoder();
  await sink.write("model.json", encoder.encode(text));
  await sink.write("model.d.ts", encoder.encode(modelTypes(manifest.signature)));
  return manifest;
}

/** The text of `model.json`, with its one group of weights in the files that `shards` names. */
export function modelToJson(
  { json, ownOps, state, decimalInputs }: ModelDescription,
  weights: readonly Weight[],
  { paths, ...shards }: { readonly paths: readonly string[]; readonly shards?: readonly Json[] },
): string {
  const needs = {
    ...(ownOps.length > 0 && { ops: ownOps }),
    ...(needsOwnLoader(weights) && { quantization: ["int8"] }),
    ...(state.length > 0 && { state }),
    ...(decimalInputs.length > 0 && { decimalInputs }),
  };
  return JSON.stringify({
    ...json,
    weightsManifest: [{ paths, weights: weights.map(weightToJson), ...shards }],
    // For whoever loads it: TensorFlow.js alone ignores this, then doesn't know these ops and weights, and misses or refuses these inputs.
    ...(Object.keys(needs).length > 0 && { nearside: needs }),
  });
}

/** True if TensorFlow.js alone can't read these weights. */
export function needsOwnLoader(weights: readonly Weight[]): boolean {
  return weights.some(({ quantization }) => quantization?.dtype === "int8");
}

function weightToJson({ name, shape, dtype, quantization }: Weight): Json {
  return { name, shape, dtype, ...(quantization === undefined ? {} : { quantization: { ...quantization } }) };
}

function portsToJson(ports: readonly Port[]): Readonly<Record<string, Json>> {
  return Object.fromEntries(ports.map((port) => [port.key, tensorInfoToJson(port)]));
}
