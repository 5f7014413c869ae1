import type { FileSink, FileSource } from "./files.ts";
import { allNodes } from "./graph/all-nodes.ts";
import type { Graph } from "./graph/graph.ts";
import { storedValues } from "./graph/stored-values.ts";
import { listOwnOps } from "./graph-model/own-ops.ts";
import { checkQuantizeOptions, type QuantizeOptions } from "./graph-model/quantize-options.ts";
import { quantizeWeights } from "./graph-model/quantize-weights.ts";
import { listStates } from "./graph-model/states.ts";
import { checkMetadata, type UserMetadata } from "./graph-model/user-metadata.ts";
import { listWeights, type Weight } from "./graph-model/weights.ts";
import { writeGraphModel } from "./graph-model/write-graph-model.ts";
import { checkShardBytes } from "./graph-model/write-shards.ts";
import { passes } from "./passes/index.ts";
import { prune } from "./passes/prune.ts";
import { checkOps, findOpProblems } from "./report/check-ops.ts";
import { checkPorts } from "./report/check-ports.ts";
import type { ConversionReport } from "./report/conversion-report.ts";
import { countOps } from "./report/count-ops.ts";
import { stateNotices } from "./report/state-notices.ts";
import type { Checkpoint } from "./saved-model/checkpoint.ts";
import { type FrozenGraph, openFrozenGraph } from "./saved-model/frozen-graph.ts";
import { readVocabularies } from "./saved-model/read-vocabularies.ts";
import { openSavedModel } from "./saved-model/saved-model.ts";

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
  /** The size of a weights file, at most; 4 MiB if none is given. */
  readonly shardBytes?: number;
  /** Which float32 weights to store in a smaller type; none if none are given. They are float32 again when loaded. */
  readonly quantize?: QuantizeOptions;
  /** Converts ops that TensorFlow.js can't run, too: for programs that register them there. The report lists them. */
  readonly skipOpCheck?: boolean;
  /** Whether stock TensorFlow.js returns outputs by name; by default where there are several with names of their own. */
  readonly structuredOutputs?: boolean;
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
  {
    signature = "serving_default",
    tags = ["serve"],
    frozenGraph,
    shardBytes = 4 * 2 ** 20,
    quantize = {},
    skipOpCheck = false,
    structuredOutputs,
    metadata = {},
    signal,
    onProgress,
  }: ConvertOptions = {},
): Promise<ConversionReport> {
  checkShardBytes(shardBytes);
  checkQuantizeOptions(quantize);
  checkMetadata(metadata);
  signal?.throwIfAborted();
  const model = await (frozenGraph === undefined
    ? openSavedModel(source, { signature, tags })
    : openFrozenGraph(source, frozenGraph));
  const where = `signature "${signature}"`;
  const optimised = passes.reduce((current, pass) => pass(current), model.graph);
  checkPorts(optimised, where);
  if (!skipOpCheck) checkOps(optimised, where);
  const graph = await readVocabularies(optimised, source);
  const plain = listWeights(graph);
  await checkValues(plain, model.checkpoint);
  const { weights, notices } = await quantizeWeights(plain, model.checkpoint, quantize, signal);
  signal?.throwIfAborted();
  try {
    const totalBytes = weights.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
    const onWritten = (writtenBytes: number) => onProgress?.({ writtenBytes, totalBytes });
    const written = { shardBytes, signal, onWritten, metadata, structuredOutputs };
    const manifest = await writeGraphModel(model, graph, weights, sink, written);
    signal?.throwIfAborted();
    await sink.commit();
    const shards = manifest.weightGroups.flatMap((group) => group.shards);
    const nodes = allNodes(graph);
    const source = prune(model.graph);
    const state = listStates(graph).map(({ input }) => input.key);
    return {
      signatureName: signature,
      signature: manifest.signature,
      tensorflowVersion: model.tensorflowVersion,
      nodesBefore: allNodes(source).length,
      nodesAfter: nodes.length,
      ops: countOps(nodes),
      ownOps: listOwnOps(nodes),
      state,
      shards,
      weightBytes: shards.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
      notices: [...notices, ...stateNotices(source, model.writers, state), ...(skipOpCheck ? opNotices(graph) : [])],
    };
  } catch (error) {
    await sink.discard();
    throw error;
  }
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
