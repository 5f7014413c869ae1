import { InferenceError, type Manifest, type Shard } from "@nearside/core";
import { dispose, io, type NamedTensorMap } from "@tensorflow/tfjs-core";
import { decodeWeights } from "./decode-weights.ts";
import { asOutOfMemory } from "./out-of-memory.ts";
import { currentDevice } from "./plan/device.ts";
import { type ModelPlan, planModel } from "./plan/model-plan.ts";

/** A model as files: its manifest, and how to get a shard's bytes, already verified. */
export interface ModelFiles {
  readonly manifest: Manifest;
  readShard(shard: Shard, signal?: AbortSignal): Promise<ArrayBuffer>;
}

/** A graph model on a device. */
export interface GraphModel extends ModelPlan {
  readonly weights: NamedTensorMap;
  /** Frees the weights. */
  dispose(): void;
}

/**
 * Loads a graph model onto the current backend, shard by shard: no more than one shard of the weights is in memory
 * besides what the backend holds. Rejects with `data-loss` if shards and weights don't fit together, or the graph is
 * broken; `out-of-memory`; `no-backend` where the backend lacks a kernel; `unsupported` for an op that nothing here
 * runs.
 */
export async function loadGraphModel(files: ModelFiles, signal?: AbortSignal): Promise<GraphModel> {
  const weights = await loadWeights(files, signal);
  try {
    const plan = await planModel(files.manifest, weights, currentDevice());
    return { ...plan, weights, dispose: () => dispose(weights) };
  } catch (error) {
    dispose(weights);
    throw error;
  }
}

async function loadWeights(files: ModelFiles, signal?: AbortSignal): Promise<NamedTensorMap> {
  try {
    const { specs, bytes } = decodeWeights(files.manifest, readShards(files, signal));
    return await io.decodeWeightsStream(toStream(bytes), specs as unknown as io.WeightsManifestEntry[]); // it checks dtypes
  } catch (cause) {
    signal?.throwIfAborted();
    const failure = asOutOfMemory(cause);
    if (failure instanceof InferenceError) throw failure;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InferenceError("data-loss", `the graph model cannot be loaded: ${reason}; convert it again`, { cause });
  }
}

async function* readShards({ manifest, readShard }: ModelFiles, signal?: AbortSignal): AsyncGenerator<ArrayBuffer> {
  for (const { shards } of manifest.weightGroups) {
    for (const shard of shards) yield await readShard(shard, signal);
  }
}

function toStream(parts: AsyncIterator<ArrayBuffer>): ReadableStream<ArrayBuffer> {
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await parts.next();
      if (done) return controller.close();
      controller.enqueue(value);
    },
  });
}
