import { InferenceError, type Manifest, parseManifest } from "@nearside/core";
import type { ConvertOptions } from "./convert.ts";
import { damaged } from "./damaged.ts";
import type { FileSink, FileSource } from "./files.ts";
import { findChannelAxes, type WeightUse } from "./graph-model/channel-axes.ts";
import type { Json } from "./graph-model/graph-def-json.ts";
import { listOwnOps } from "./graph-model/own-ops.ts";
import { checkQuantizeOptions } from "./graph-model/quantize-options.ts";
import { openStoredWeights } from "./graph-model/stored-weights.ts";
import { checkMetadata } from "./graph-model/user-metadata.ts";
import { checkShardBytes } from "./graph-model/write-shards.ts";
import type { ConversionReport } from "./report/conversion-report.ts";
import { countOps } from "./report/count-ops.ts";
import { storeModel } from "./store-model.ts";
import type { GoldenCase } from "./verification/golden.ts";
import { version } from "./version.ts";

/** What {@link repack} can change of a model. */
export type RepackOptions = Pick<
  ConvertOptions,
  "shardBytes" | "quantize" | "metadata" | "openModel" | "verify" | "signal" | "onProgress"
>;

/**
 * Writes the graph model in `source`, from this converter or the Python one, with other shards, types of weights or
 * metadata. Its graph stays as it is. Weights that are stored in a smaller type stay so unless `quantize` says another.
 * Rejects with an `InferenceError`: `not-found` (no model.json), `data-loss` (shards that don't fit), `unsupported`,
 * `invalid-argument`.
 */
export async function repack(
  source: FileSource,
  sink: FileSink,
  {
    shardBytes = 4 * 2 ** 20,
    quantize = {},
    metadata = {},
    openModel,
    verify = false,
    signal,
    onProgress,
  }: RepackOptions = {},
): Promise<ConversionReport> {
  checkShardBytes(shardBytes);
  checkQuantizeOptions(quantize);
  checkMetadata(metadata);
  const manifest = await readManifest(source);
  const golden = typeof verify === "boolean" ? undefined : goldenWithNames(verify, manifest);
  const nodes = nodesOf(manifest);
  const { weights, values } = await openStoredWeights(source, manifest);
  // What came out of JSON.parse is JSON; weights and needs are written anew.
  const { weightsManifest: _, nearside, ...json } = manifest.json as Readonly<Record<string, Json>>;
  const userDefinedMetadata = { ...(json.userDefinedMetadata as object | undefined), ...metadata };
  const changed = {
    ...json,
    convertedBy: `nearside ${version}`,
    ...(Object.keys(userDefinedMetadata).length === 0 ? {} : { userDefinedMetadata }),
  };
  const unstored = {
    description: { json: changed, ownOps: ownOpsOf(nodes, nearside) },
    weights,
    context: { checkpoint: values, channelAxes: findChannelAxes(nodes), signal },
    reference: async () => source,
  };
  const options = { shardBytes, quantize, openModel, verify: verify !== false, golden, signal, onProgress };
  const { manifest: written, ...stored } = await storeModel(unstored, sink, options);
  return {
    signatureName: "serving_default",
    signature: written.signature,
    tensorflowVersion: typeof json.generatedBy === "string" ? json.generatedBy : "",
    nodesBefore: nodes.length,
    nodesAfter: nodes.length,
    ops: countOps(nodes),
    ownOps: unstored.description.ownOps,
    ...stored,
  };
}

/** The ops of ours among these, and those that the model itself names: its functions may have others. */
function ownOpsOf(nodes: readonly WeightUse[], nearside: unknown): readonly string[] {
  const { ops } = (nearside ?? {}) as { readonly ops?: unknown }; // if anything of that kind
  const named = Array.isArray(ops) ? ops.map((op) => ({ op: String(op) })) : [];
  return listOwnOps([...nodes, ...named]);
}

/** The golden cases with this model's inputs and outputs: a converted model doesn't know its signature's name. */
function goldenWithNames(cases: readonly GoldenCase[], { signature }: Manifest): readonly GoldenCase[] {
  const namesOf = (of: { readonly inputs: object; readonly outputs: object }) =>
    JSON.stringify([Object.keys(of.inputs).sort(), Object.keys(of.outputs).sort()]);
  const found = cases.filter((golden) => namesOf(golden) === namesOf(signature));
  if (found.length > 0) return found;
  const message = `verify: expected golden values of ${namesOf(signature)}, got none with these inputs and outputs`;
  throw new InferenceError("invalid-argument", `${message}; leave them out to run on random inputs`);
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

/** The nodes of a graph model, as far as its report and the weights' channels look at them. */
function nodesOf({ json }: Manifest): readonly WeightUse[] {
  const topology = json.modelTopology as { readonly node?: unknown }; // parseManifest saw that it is an object
  if (!Array.isArray(topology.node)) {
    throw damaged("model.json: modelTopology.node", "a list", JSON.stringify(topology.node));
  }
  return topology.node.map((each: unknown) => {
    const { op, input, attr } = (each ?? {}) as NodeJson;
    const weight = Array.isArray(input) ? String(input[1] ?? "").replace(/:0$/, "") : "";
    return { op: String(op), weight, isTransposed: attr?.transpose_b?.b === true || attr?.adj_y?.b === true };
  });
}

/** What may be in a node; anything else may be there instead. */
interface NodeJson {
  readonly op?: unknown;
  readonly input?: unknown;
  readonly attr?: Readonly<Record<string, { readonly b?: unknown } | null>> | null;
}
