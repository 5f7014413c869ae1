import { InferenceError, type Manifest, type Shard } from "@nearside/core";
import { dispose, io } from "@tensorflow/tfjs-core";
import { currentDevice } from "./plan/device.ts";
import { type ModelPlan, planModel } from "./plan/model-plan.ts";

/** A model as files: its manifest, and how to get a shard's bytes, already verified. */
export interface ModelFiles {
  readonly manifest: Manifest;
  readShard(shard: Shard, signal?: AbortSignal): Promise<ArrayBuffer>;
}

/** A graph model on a device. */
export interface GraphModel extends ModelPlan {
  /** Frees the weights. */
  dispose(): void;
}

/**
 * Loads a graph model onto the current backend, shard by shard: no more than one shard of the weights is in memory
 * besides what the backend holds. Rejects with `data-loss` if shards and weights don't fit together, or the graph is
 * broken; `no-backend` where the backend lacks a kernel; `unsupported` for an op that nothing here runs.
 */
export async function loadGraphModel(files: ModelFiles, signal?: AbortSignal): Promise<GraphModel> {
  const specs = files.manifest.weightGroups.flatMap((group) => group.weights);
  const weights = await loadWeights(files, specs as unknown as io.WeightsManifestEntry[], signal); // it checks dtypes
  try {
    const plan = await planModel(files.manifest, weights, currentDevice());
    return { ...plan, dispose: () => dispose(weights) };
  } catch (error) {
    dispose(weights);
    throw error;
  }
}

async function loadWeights(files: ModelFiles, specs: io.WeightsManifestEntry[], signal?: AbortSignal) {
  try {
    return await io.decodeWeightsStream(streamShards(files, signal), specs);
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof InferenceError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InferenceError("data-loss", `the graph model cannot be loaded: ${reason}; convert it again`, { cause });
  }
}

function streamShards({ manifest, readShard }: ModelFiles, signal?: AbortSignal): ReadableStream<ArrayBuffer> {
  const shards = manifest.weightGroups.flatMap((group) => group.shards).values();
  return new ReadableStream({
    async pull(controller) {
      const { value: shard, done } = shards.next();
      if (done) return controller.close();
      controller.enqueue(await readShard(shard, signal));
    },
  });
}
