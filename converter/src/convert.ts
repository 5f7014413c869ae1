import { InferenceError } from "@nearside/core";
import type { FileSink, FileSource } from "./files.ts";
import type { Body, Node } from "./graph/graph.ts";
import { listOwnOps } from "./graph-model/own-ops.ts";
import { listWeights, type Weight } from "./graph-model/weights.ts";
import { writeGraphModel } from "./graph-model/write-graph-model.ts";
import { passes } from "./passes/index.ts";
import { prune } from "./passes/prune.ts";
import { checkOps } from "./report/check-ops.ts";
import { checkPorts } from "./report/check-ports.ts";
import type { ConversionReport } from "./report/conversion-report.ts";
import type { Checkpoint } from "./saved-model/checkpoint.ts";
import { openSavedModel } from "./saved-model/saved-model.ts";

/** How far a conversion has come: bytes of weights that are written. */
export interface ConversionProgress {
  readonly writtenBytes: number;
}

export interface ConvertOptions {
  /** The signature to convert; `serving_default` if none is given. */
  readonly signature?: string;
  /** The tags of the graph to convert, all of them; `serve` if none are given. */
  readonly tags?: readonly string[];
  /** The size of a weights file, at most; 4 MiB if none is given. */
  readonly shardBytes?: number;
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
    shardBytes = 4 * 2 ** 20,
    signal,
    onProgress,
  }: ConvertOptions = {},
): Promise<ConversionReport> {
  if (!Number.isSafeInteger(shardBytes) || shardBytes < 1) {
    throw new InferenceError("invalid-argument", `shardBytes: expected a whole number ≥ 1, got ${shardBytes}`);
  }
  signal?.throwIfAborted();
  const model = await openSavedModel(source, { signature, tags });
  const where = `signature "${signature}"`;
  checkPorts(model.graph, where);
  const graph = passes.reduce((current, pass) => pass(current), model.graph);
  checkOps(graph, where);
  const weights = listWeights(graph);
  await checkValues(weights, model.checkpoint);
  signal?.throwIfAborted();
  try {
    const onWritten = (writtenBytes: number) => onProgress?.({ writtenBytes });
    const manifest = await writeGraphModel(model, graph, weights, sink, { shardBytes, signal, onWritten });
    signal?.throwIfAborted();
    await sink.commit();
    const shards = manifest.weightGroups.flatMap((group) => group.shards);
    const needed = prune(model.graph);
    return {
      signatureName: signature,
      signature: manifest.signature,
      tensorflowVersion: model.tensorflowVersion,
      nodesBefore: countNodes([needed, ...needed.functions.values()]),
      nodesAfter: graph.nodes.size,
      ops: countOps(graph.nodes.values()),
      ownOps: listOwnOps(graph),
      shards,
      weightBytes: shards.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
    };
  } catch (error) {
    await sink.discard();
    throw error;
  }
}

async function checkValues(weights: readonly Weight[], checkpoint: Checkpoint): Promise<void> {
  for (const { value } of weights) if (value.kind === "stored") await checkpoint.check(value);
}

function countNodes(bodies: readonly Body[]): number {
  return bodies.reduce((sum, { nodes }) => sum + nodes.size, 0);
}

function countOps(nodes: Iterable<Node>): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const { op } of nodes) if (op !== "Const") counts.set(op, (counts.get(op) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
