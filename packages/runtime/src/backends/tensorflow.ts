import * as core from "@tensorflow/tfjs-core";
import { type LoadedBackend, startBackend } from "./loaded-backend.ts";

export interface TensorflowOptions {
  /** Registers TensorFlow.js's kernels for native TensorFlow with this core, and makes their backend. */
  readonly createBackend: (tfjsCore: typeof core) => core.KernelBackend;
}

/** Loads native TensorFlow, which runs a graph model op by op. Rejects with `no-backend`. */
export async function openTensorflowBackend({ createBackend }: TensorflowOptions): Promise<LoadedBackend> {
  core.registerBackend("tensorflow", () => createBackend(core));
  return startBackend("tensorflow");
}
