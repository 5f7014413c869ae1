import { InferenceError, type Manifest, parseManifest } from "@nearside/core";
import { backendGaps, type TypedNode } from "./backend-gaps.ts";
import type { ConvertOptions } from "./convert.ts";
import { damaged } from "./damaged.ts";
import type { FileSink, FileSource } from "./files.ts";
import type { Json } from "./graph-model/graph-def-json.ts";
import { listOwnOps } from "./graph-model/own-ops.ts";
import { checkQuantizeOptions } from "./graph-model/quantize-options.ts";
import { quantizeWeights } from "./graph-model/quantize-weights.ts";
import { openStoredWeights } from "./graph-model/stored-weights.ts";
import { checkMetadata } from "./graph-model/user-metadata.ts";
import { weightsManifest, writeManifest } from "./graph-model/write-graph-model.ts";
import { checkShardBytes, writeShards } from "./graph-model/write-shards.ts";
import type { ConversionReport } from "./report/conversion-report.ts";
import { countOps } from "./report/count-ops.ts";
import { describeWeights } from "./report/describe-weights.ts";
import type { OutlineNode } from "./report/outline-graph.ts";
import { version } from "./version.ts";

/** What {@link repack} can change of a model. */
export type RepackOptions = Pick<ConvertOptions, "shardBytes" | "quantize" | "metadata" | "signal" | "onProgress">;

/**
 * Writes the graph model in `source`, from this converter or the Python one, with other shards, types of weights or
 * metadata. Its graph stays as it is. Weights that are stored in a smaller type stay so unless `quantize` says another.
 * Rejects with an `InferenceError`: `not-found` (no model.json), `data-loss` (shards that don't fit), `unsupported`,
 * `invalid-argument`.
 */
export async function repack(
  source: FileSource,
  sink: FileSink,
  { shardBytes = 4 * 2 ** 20, quantize = {}, metadata = {}, signal, onProgress }: RepackOptions = {},
): Promise<ConversionReport> {
  checkShardBytes(shardBytes);
  checkQuantizeOptions(quantize);
  checkMetadata(metadata);
  const manifest = await readManifest(source);
  const nodes = nodesOf(manifest);
  const { weights: plain, values } = await openStoredWeights(source, manifest);
  const { weights, notices } = await quantizeWeights(plain, values, quantize, signal);
  const totalBytes = weights.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
  const onWritten = (writtenBytes: number) => onProgress?.({ writtenBytes, totalBytes });
  try {
    const shards = await writeShards(weights, values, sink, { shardBytes, signal, onWritten });
    // What came out of JSON.parse is JSON.
    const json = manifest.json as Readonly<Record<string, Json>>;
    const userDefinedMetadata = { ...(json.userDefinedMetadata as object | undefined), ...metadata };
    const changed = {
      ...json,
      convertedBy: `nearside ${version}`,
      ...(Object.keys(userDefinedMetadata).length === 0 ? {} : { userDefinedMetadata }),
      weightsManifest: weightsManifest(weights, shards),
    };
    await writeManifest(changed, sink);
    signal?.throwIfAborted();
    await sink.commit();
    return {
      signatureName: "serving_default",
      signature: manifest.signature,
      tensorflowVersion: typeof json.generatedBy === "string" ? json.generatedBy : "",
      nodesBefore: nodes.length,
      nodesAfter: nodes.length,
      opsBefore: countOps(nodes),
      ops: countOps(nodes),
      ownOps: listOwnOps(nodes),
      gaps: backendGaps(nodes),
      unfused: [],
      variables: { count: plain.length, bytes: plain.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0) },
      shards,
      weightBytes: shards.reduce((sum, { bytes }) => sum + bytes, 0),
      notices,
      details: {
        steps: [],
        fused: [],
        weights: describeWeights(weights),
        graphs: [{ name: "", nodes: outlineNodes(nodes), outputs: outputNodes(manifest) }],
      },
    };
  } catch (error) {
    await sink.discard();
    throw error;
  }
}

async function readManifest(source: FileSource): Promise<Manifest> {
  const sizeBytes = await source.sizeBytes("model.json");
  if (sizeBytes === undefined) {
    throw new InferenceError("not-found", "model.json: no such file; give the folder of a converted model");
  }
  const bytes = await source.read("model.json", 0, sizeBytes);
  if (bytes.length !== sizeBytes) throw damaged("model.json", `${sizeBytes} bytes`, String(bytes.length));
  return parseManifest(new TextDecoder().decode(bytes));
}

function outputNodes({ outputNames }: Manifest): readonly string[] {
  return [...new Set(Object.values(outputNames).map((name) => name.replace(/:\d+$/, "")))];
}

/** A node of a graph model, as far as a report looks at it. */
interface ManifestNode extends TypedNode {
  readonly name: string;
  readonly inputs: readonly string[];
}

function nodesOf({ json }: Manifest): readonly ManifestNode[] {
  const { node } = json.modelTopology as { readonly node?: unknown }; // parseManifest saw that it is an object
  if (!Array.isArray(node)) throw damaged("model.json: modelTopology.node", "a list", JSON.stringify(node));
  return node.map((each: unknown) => {
    const { name, op, input, attr } = (each ?? {}) as Readonly<Record<string, unknown>>; // or no node: all undefined
    const inputs = Array.isArray(input) ? input.map((text) => String(text).replace(/^\^|:\d+$/g, "")) : [];
    const attrs = Object.entries(attr ?? {}).filter(([, value]) => typeof value === "object" && value !== null);
    return { name: String(name), op: String(op), inputs, attrs: Object.fromEntries(attrs) };
  });
}

function outlineNodes(nodes: readonly ManifestNode[]): readonly OutlineNode[] {
  const constants = new Set(nodes.filter(({ op }) => op === "Const").map(({ name }) => name));
  return nodes
    .filter(({ op }) => op !== "Const")
    .map(({ name, op, inputs }) => {
      const taken = inputs.filter((input) => !constants.has(input));
      return { name, ops: [op], inputs: taken, weights: [], shape: null };
    });
}
