import { InferenceError, type Manifest, type Precision, type Shard } from "@nearside/core";
import { dispose, type NamedTensorMap } from "@tensorflow/tfjs-core";
import { asOutOfMemory } from "./out-of-memory.ts";
import { currentDevice } from "./plan/device.ts";
import { kernelsFor } from "./plan/kernels-for.ts";
import { type ModelPlan, planModel } from "./plan/model-plan.ts";
import { loadWeights } from "./weights/load-weights.ts";

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

export interface LoadOptions {
  readonly precision?: Precision | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Loads a graph model onto the current backend, shard by shard (see {@link loadWeights}). Rejects with `data-loss` if
 * shards and weights don't fit together, or the graph is broken; `out-of-memory`; `no-backend` where the backend lacks a
 * kernel, or can't hold a weight; `unsupported` for an op that nothing here runs; `unavailable` if its kernel can't be
 * loaded.
 */
export async function loadGraphModel(
  files: ModelFiles,
  { precision = "float32", signal }: LoadOptions = {},
): Promise<GraphModel> {
  const device = currentDevice(precision);
  const kernels = await kernelsFor(files.manifest);
  const weights = await loadWeights(files.manifest, readShards(files, signal), device).catch((cause: unknown) => {
    signal?.throwIfAborted();
    const failure = asOutOfMemory(cause);
    if (failure instanceof InferenceError) throw failure;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InferenceError("data-loss", `the graph model cannot be loaded: ${reason}; convert it again`, { cause });
  });
  try {
    const plan = await planModel(files.manifest, weights, { device, kernels });
    return { ...plan, weights, dispose: () => dispose(weights) };
  } catch (error) {
    dispose(weights);
    throw error;
  }
}

async function* readShards({ manifest, readShard }: ModelFiles, signal?: AbortSignal): AsyncGenerator<ArrayBuffer> {
  for (const { shards } of manifest.weightGroups) {
    for (const shard of shards) yield await readShard(shard, signal);
  }
}
