import { InferenceError, type Manifest, parseManifest } from "@nearside/core";
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
      ops: countOps(nodes),
      ownOps: listOwnOps(nodes),
      shards,
      weightBytes: shards.reduce((sum, { bytes }) => sum + bytes, 0),
      notices,
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
  const manifest = parseManifest(new TextDecoder().decode(bytes));
  checkDepth(manifest.json);
  return manifest;
}

/** Throws `data-loss` for JSON that is nested too deep to be written again. */
function checkDepth(json: unknown): void {
  let level: unknown[] = [json];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) throw damaged("model.json", `at most ${maxDepth} lists and objects in each other`, "more");
    level = level.flatMap((each) => (typeof each === "object" && each !== null ? Object.values(each) : []));
  }
}

const maxDepth = 1000;

/** The nodes of a graph model, as far as a report looks at them. */
function nodesOf({ json }: Manifest): readonly { readonly op: string }[] {
  const { node } = json.modelTopology as { readonly node?: unknown }; // parseManifest saw that it is an object
  if (!Array.isArray(node)) throw damaged("model.json: modelTopology.node", "a list", JSON.stringify(node));
  return node.map((each: unknown) => ({ op: String((each as { readonly op?: unknown } | null)?.op) })); // or no node
}
