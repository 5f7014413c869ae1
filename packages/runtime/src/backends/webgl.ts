import { InferenceError } from "@nearside/core";
import type { MathBackendWebGL } from "@tensorflow/tfjs-backend-webgl";
import "@tensorflow/tfjs-backend-webgl";
import { backend as currentBackend } from "@tensorflow/tfjs-core";
import { type LoadedBackend, startBackend } from "./loaded-backend.ts";

/** Loads the WebGL backend, for GPUs that a browser offers no WebGPU for. Rejects with `no-backend`. */
export async function openWebglBackend(): Promise<LoadedBackend> {
  if (!hasWebgl2()) throw new InferenceError("no-backend", `backend "webgl" cannot run here: no WebGL 2`);
  const loaded = await startBackend("webgl");
  const backend = currentBackend() as MathBackendWebGL; // what was just started
  const { gl } = backend.getGPGPUContext();
  const throwIfLost = () => {
    if (gl.isContextLost())
      throw new InferenceError("device-lost", "the WebGL context was lost; open the session again");
  };
  return {
    ...loaded,
    async watch(run) {
      throwIfLost();
      const [outcome] = await Promise.allSettled([loaded.watch(run)]);
      throwIfLost(); // what was read of it meanwhile is zeros
      if (outcome.status === "rejected") throw outcome.reason;
      return outcome.value;
    },
    memory: () => ({ ...loaded.memory(), deviceBytes: backend.memory().numBytesInGPUAllocated ?? 0 }),
  };
}

/** TensorFlow.js would take WebGL 1 as well, and half the precision that it has on many devices. */
function hasWebgl2(): boolean {
  return "OffscreenCanvas" in globalThis && new OffscreenCanvas(1, 1).getContext("webgl2") !== null;
}
