import { InferenceError, type Manifest, parseManifest } from "@nearside/core";
import { backendGaps } from "./backend-gaps.ts";
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
import { describeWeights } from "./report/describe-weights.ts";
import type { OutlineNode } from "./report/outline-graph.ts";
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
  const { weights: plain, values } = await openStoredWeights(source, manifest);
  // What came out of JSON.parse is JSON; weights and needs are written anew.
  const { weightsManifest: _, nearside, ...json } = manifest.json as Readonly<Record<string, Json>>;
  const userDefinedMetadata = { ...(json.userDefinedMetadata as object | undefined), ...metadata };
  const changed = {
    ...json,
    convertedBy: `nearside ${version}`,
    ...(Object.keys(userDefinedMetadata).length === 0 ? {} : { userDefinedMetadata }),
  };
  const unstored = {
    description: {
      json: changed,
      ownOps: ownOpsOf(nodes, nearside),
      state: stateOf(nearside),
      decimalInputs: manifest.decimalInputs,
    },
    weights: plain,
    context: { checkpoint: values, channelAxes: findChannelAxes(nodes.map(weightUse)), signal },
    reference: async () => source,
  };
  const options = { shardBytes, quantize, openModel, verify: verify !== false, golden, signal, onProgress };
  const {
    manifest: written,
    described,
    stored,
  } = await storeModel(unstored, sink, options, (weights) => ({
    steps: [],
    fused: [],
    weights: describeWeights(weights),
    graphs: [{ name: "", nodes: outlineNodes(nodes), outputs: outputNodes(manifest) }],
  }));
  return {
    signatureName: "serving_default",
    signature: written.signature,
    tensorflowVersion: typeof json.generatedBy === "string" ? json.generatedBy : "",
    nodesBefore: nodes.length,
    nodesAfter: nodes.length,
    opsBefore: countOps(nodes),
    ops: countOps(nodes),
    ownOps: unstored.description.ownOps,
    state: manifest.state.map(({ input }) => input),
    gaps: backendGaps(nodes),
    unfused: [],
    variables: { count: plain.length, bytes: plain.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0) },
    ...stored,
    details: described,
  };
}

/** The ops of ours among these, and those that the model itself names: its functions may have others. */
function ownOpsOf(nodes: readonly ManifestNode[], nearside: unknown): readonly string[] {
  const { ops } = (nearside ?? {}) as { readonly ops?: unknown }; // if anything of that kind
  const named = Array.isArray(ops) ? ops.map((op) => ({ op: String(op) })) : [];
  return listOwnOps([...nodes, ...named]);
}

/** What the model itself says of its state; parseManifest saw that it is a list. */
function stateOf(nearside: Json | undefined): readonly Json[] {
  return (nearside as { readonly state?: readonly Json[] } | undefined)?.state ?? [];
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
  const manifest = parseManifest(new TextDecoder().decode(bytes));
  checkDepth(manifest.json);
  return manifest;
}

function outputNodes({ outputNames }: Manifest): readonly string[] {
  return [...new Set(Object.values(outputNames).map((name) => name.replace(/:\d+$/, "")))];
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

/** A node of a graph model, as far as a report looks at it. */
interface ManifestNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attrs: Readonly<Record<string, object>>;
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

/** Which weight a node multiplies by, if it is a product. */
function weightUse({ op, inputs, attrs }: ManifestNode): WeightUse {
  const isTrue = (name: string) => (attrs[name] as { readonly b?: unknown } | undefined)?.b === true;
  return { op, weight: inputs[1] ?? "", isTransposed: isTrue("transpose_b") || isTrue("adj_y") };
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
