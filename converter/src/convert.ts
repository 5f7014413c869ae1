import type { FileSink, FileSource } from "./files.ts";
import { allNodes } from "./graph/all-nodes.ts";
import type { Graph, Pass } from "./graph/graph.ts";
import { type InputShapes, withInputShapes, withOutputShapes } from "./graph/input-shapes.ts";
import { storedValues } from "./graph/stored-values.ts";
import { findChannelAxes, weightUse } from "./graph-model/channel-axes.ts";
import { decimalKeys } from "./graph-model/decimal-keys.ts";
import { checkQuantizeOptions, type QuantizeOptions } from "./graph-model/quantize-options.ts";
import { listStates } from "./graph-model/states.ts";
import { checkMetadata, type UserMetadata } from "./graph-model/user-metadata.ts";
import { listWeights, type Weight } from "./graph-model/weights.ts";
import { describeGraphModel, writeGraphModel } from "./graph-model/write-graph-model.ts";
import { checkShardBytes } from "./graph-model/write-shards.ts";
import { readMemory, writeMemory } from "./memory-files.ts";
import { passes, sourceLikePasses } from "./passes/index.ts";
import { type PassesRun, runPasses } from "./passes/run-passes.ts";
import { checkOps, findOpProblems } from "./report/check-ops.ts";
import { checkPorts } from "./report/check-ports.ts";
import type { ConversionReport } from "./report/conversion-report.ts";
import { describeConversion } from "./report/describe-conversion.ts";
import { stateNotices } from "./report/state-notices.ts";
import type { Checkpoint } from "./saved-model/checkpoint.ts";
import { type FrozenGraph, openFrozenGraph } from "./saved-model/frozen-graph.ts";
import { readVocabularies } from "./saved-model/read-vocabularies.ts";
import { openSavedModel, type SavedModel } from "./saved-model/saved-model.ts";
import { storeModel, type UnstoredModel } from "./store-model.ts";
import type { GoldenCase } from "./verification/golden.ts";
import type { OpenModel } from "./verification/run-model.ts";
import { goldenFor } from "./verification/verify.ts";

/** How far a conversion has come: bytes of weights that are written, of those that there are to write. */
export interface ConversionProgress {
  readonly writtenBytes: number;
  /** Strings among the variables are not counted, which have no size until they are read. */
  readonly totalBytes: number;
}

export interface ConvertOptions {
  /** The signature to convert; `serving_default` if none is given. */
  readonly signature?: string;
  /** The tags of the graph to convert, all of them; `serve` if none are given. */
  readonly tags?: readonly string[];
  /** Converts a frozen graph in `source` instead of a SavedModel; signature and tags then don't matter. */
  readonly frozenGraph?: FrozenGraph;
  /**
   * Shapes for inputs whose shapes the model leaves open, by their names, `null` for a size that stays open. What
   * follows from them is computed here once and not in every run.
   */
  readonly inputShapes?: InputShapes;
  /** The size of a weights file, at most; 4 MiB if none is given. */
  readonly shardBytes?: number;
  /** Which float32 weights to store in a smaller type; none if none are given. They are float32 again when loaded. */
  readonly quantize?: QuantizeOptions;
  /** Converts ops that TensorFlow.js can't run, too: for programs that register them there. The report lists them. */
  readonly skipOpCheck?: boolean;
  /** Whether stock TensorFlow.js returns outputs by name; by default where there are several with names of their own. */
  readonly structuredOutputs?: boolean;
  /** Whether to make the graph small and fast (default true); without, it is as near to the source as it runs. */
  readonly optimise?: boolean;
  /** Runs a model, for `verify` and `quantize.auto`. */
  readonly openModel?: OpenModel;
  /** Reports how far the outputs are off, on random inputs or beside golden values. All that is written is in memory. */
  readonly verify?: boolean | readonly GoldenCase[];
  /** Goes into the model's `userDefinedMetadata`. */
  readonly metadata?: UserMetadata;
  /** Ends the conversion early: the promise rejects with the signal's reason and nothing is left behind. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ConversionProgress) => void;
}

/**
 * Converts the SavedModel in `source` to a TensorFlow.js graph model in `sink`. What can't be converted is refused
 * before anything is written; where writing fails, all of it is discarded.
 * Rejects with an `InferenceError`: `not-found` (no such model, tags or signature), `unsupported` (an op or a form
 * that TensorFlow.js can't run), `data-loss` (a file that is damaged or missing), `invalid-argument`.
 */
export async function convert(
  source: FileSource,
  sink: FileSink,
  { tags = ["serve"], frozenGraph, ...options }: ConvertOptions = {},
): Promise<ConversionReport> {
  const { signature = "serving_default" } = options;
  return await convertSignature(
    async () =>
      frozenGraph === undefined
        ? await (await openSavedModel(source)).open(signature, tags)
        : await openFrozenGraph(source, frozenGraph),
    source,
    sink,
    options,
  );
}

/** Converts the signature that `open` opens, as {@link convert} does; `source` has the files that go with it. */
export async function convertSignature(
  open: () => Promise<SavedModel>,
  source: FileSource,
  sink: FileSink,
  {
    signature = "serving_default",
    inputShapes,
    shardBytes = 4 * 2 ** 20,
    quantize = {},
    skipOpCheck = false,
    structuredOutputs,
    optimise = true,
    openModel,
    verify = false,
    metadata = {},
    signal,
    onProgress,
  }: Omit<ConvertOptions, "tags" | "frozenGraph">,
): Promise<ConversionReport> {
  checkShardBytes(shardBytes);
  checkQuantizeOptions(quantize);
  checkMetadata(metadata);
  const golden = typeof verify === "boolean" ? undefined : goldenFor(verify, signature);
  signal?.throwIfAborted();
  const model = await open();
  const where = `signature "${signature}"`;
  const given = inputShapes === undefined ? model.graph : withInputShapes(model.graph, inputShapes, where);

  async function prepare(list: readonly Pass[]): Promise<{ readonly run: PassesRun } & UnstoredModel> {
    const run = runPasses(given, list);
    const rewritten = inputShapes === undefined ? run.graph : withOutputShapes(run.graph);
    checkPorts(rewritten, where);
    if (!skipOpCheck) checkOps(rewritten, where);
    const graph = decimalKeys(await readVocabularies(rewritten, source));
    const weights = listWeights(graph);
    await checkValues(weights, model.checkpoint);
    const description = describeGraphModel(model, graph, { metadata, structuredOutputs });
    const channelAxes = findChannelAxes(allNodes(graph).map(weightUse));
    const context = { checkpoint: model.checkpoint, channelAxes, signal };
    return { run: { ...run, graph }, description, weights, context, reference: sourceLike };
  }

  async function sourceLike(): Promise<FileSource> {
    const { description, weights } = await prepare(sourceLikePasses);
    const files = new Map<string, Uint8Array>();
    await writeGraphModel(description, weights, model.checkpoint, writeMemory(files), { shardBytes, signal });
    return readMemory(files);
  }

  const { run, ...unstored } = await prepare(optimise ? passes : sourceLikePasses);
  const state = listStates(run.graph).map(({ input }) => input.key);
  const notices = [...stateNotices(model, state), ...(skipOpCheck ? opNotices(run.graph) : [])]; // before all writing
  const options = { shardBytes, quantize, openModel, verify: verify !== false, golden, signal, onProgress };
  const describe = (weights: readonly Weight[]) => describeConversion(model.graph, run, weights);
  const { manifest, described, stored } = await storeModel(unstored, sink, options, describe);
  return {
    signatureName: signature,
    signature: manifest.signature,
    tensorflowVersion: model.tensorflowVersion,
    ...described,
    state,
    ...stored,
    notices: [...stored.notices, ...notices],
  };
}

async function checkValues(weights: readonly Weight[], checkpoint: Checkpoint): Promise<void> {
  for (const { value } of weights) {
    for (const stored of storedValues(value)) await checkpoint.check(stored);
  }
}

/** The ops that a program has to register with TensorFlow.js. */
function opNotices(graph: Graph): readonly string[] {
  return findOpProblems(graph).map(({ op, problem, nodes }) => `${nodes.length} × ${op} not checked: ${problem}`);
}
