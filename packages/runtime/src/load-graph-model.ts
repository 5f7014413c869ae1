import { InferenceError, type Manifest, type Shard } from "@nearside/core";
import { type GraphModel, loadGraphModel as loadTfjsModel } from "@tensorflow/tfjs-converter";
import type { io } from "@tensorflow/tfjs-core";
import { decodeWeights } from "./decode-weights.ts";
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
  const { json } = files.manifest;
  const { specs, bytes } = decodeWeights(files.manifest, readShards(files, signal));
  // parseManifest checked what is read here; the graph itself TensorFlow.js checks when it maps the nodes.
  const artifacts = {
    modelTopology: json.modelTopology,
    signature: json.signature,
    userDefinedMetadata: json.userDefinedMetadata,
    modelInitializer: json.modelInitializer,
    initializerSignature: json.initializerSignature,
    weightSpecs: specs,
    getWeightStream: () => toStream(bytes),
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
