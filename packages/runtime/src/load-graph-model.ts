import { InferenceError, type Manifest, type Shard } from "@nearside/core";
import { type GraphModel, loadGraphModel as loadTfjsModel } from "@tensorflow/tfjs-converter";
import type { io } from "@tensorflow/tfjs-core";
import { installKernels } from "./kernels/install-kernels.ts";

/** A model as files: its manifest, and how to get a shard's bytes, already verified. */
export interface ModelFiles {
  readonly manifest: Manifest;
  readShard(shard: Shard, signal?: AbortSignal): Promise<ArrayBuffer>;
}

/**
 * Loads a graph model onto the current backend, shard by shard: no more than one shard of the weights is in memory
 * besides what the backend holds. Rejects with `data-loss` if shards and weights don't fit together.
 */
export async function loadGraphModel(files: ModelFiles, signal?: AbortSignal): Promise<GraphModel> {
  const { json, weightGroups } = files.manifest;
  // parseManifest checked what is read here; the graph itself TensorFlow.js checks when it maps the nodes.
  const artifacts = {
    modelTopology: json.modelTopology,
    signature: json.signature,
    userDefinedMetadata: json.userDefinedMetadata,
    modelInitializer: json.modelInitializer,
    initializerSignature: json.initializerSignature,
    weightSpecs: weightGroups.flatMap((group) => group.weights),
    getWeightStream: () => streamShards(files, signal),
  } as unknown as io.ModelArtifacts;
  installKernels();
  try {
    return await loadTfjsModel({ load: async () => artifacts }, { streamWeights: true });
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof InferenceError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (/not registered for backend/.test(reason)) throw new InferenceError("no-backend", reason, { cause });
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
