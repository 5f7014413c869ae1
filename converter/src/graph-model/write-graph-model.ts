import { type Manifest, parseManifest } from "@nearside/core";
import type { FileSink } from "../files.ts";
import type { Graph, Port } from "../graph/graph.ts";
import type { SavedModel } from "../saved-model/saved-model.ts";
import { version } from "../version.ts";
import { graphDefToJson, type Json, tensorInfoToJson } from "./graph-def-json.ts";
import { modelTypes } from "./model-types.ts";
import { listOwnOps } from "./own-ops.ts";
import type { Weight } from "./weights.ts";
import { type WriteShardsOptions, writeShards } from "./write-shards.ts";

/**
 * Writes a graph as a TensorFlow.js graph model: the shards, then `model.json` and `model.d.ts`. The same graph always
 * becomes the same bytes. Returns the manifest as its readers will parse it.
 */
export async function writeGraphModel(
  { checkpoint, producer, tensorflowVersion }: SavedModel,
  graph: Graph,
  weights: readonly Weight[],
  sink: FileSink,
  options: WriteShardsOptions,
): Promise<Manifest> {
  const shards = await writeShards(weights, checkpoint, sink, options);
  const ownOps = listOwnOps(graph);
  const json: Json = {
    format: "graph-model",
    generatedBy: tensorflowVersion,
    convertedBy: `nearside ${version}`,
    signature: { inputs: portsToJson(graph.inputs), outputs: portsToJson(graph.outputs) },
    modelTopology: graphDefToJson(graph, producer),
    weightsManifest: [
      {
        paths: shards.map(({ path }) => path),
        weights: weights.map(({ name, shape, dtype }) => ({ name, shape, dtype })),
        shards: shards.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 })),
      },
    ],
    // For whoever loads it: TensorFlow.js alone ignores this, and then doesn't know these ops.
    ...(ownOps.length > 0 && { nearside: { ops: ownOps } }),
  };
  const text = JSON.stringify(json);
  const manifest = parseManifest(text);
  const encoder = new TextEncoder();
  await sink.write("model.json", encoder.encode(text));
  await sink.write("model.d.ts", encoder.encode(modelTypes(manifest.signature)));
  return manifest;
}

function portsToJson(ports: readonly Port[]): Json {
  return Object.fromEntries(ports.map((port) => [port.key, tensorInfoToJson(port)]));
}
