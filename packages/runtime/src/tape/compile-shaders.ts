import { InferenceError, type Progress } from "@nearside/core";
import type { RecordingWebgpuBackend } from "../backends/recording-webgpu-backend.ts";
import { type TapeInput, type UnknownRun, withUnknownTensors } from "./record-tape.ts";

/** How many of the shaders that a run needs are compiled. */
export type ShaderProgress = Pick<Progress, "compiledShaders" | "totalShaders">;

/**
 * Compiles the shaders that a run on inputs of these shapes needs, all at once and beside other work, as a run itself
 * would compile one after the other and wait for each. Where the run would read a tensor it goes no further: the rest is
 * compiled as it is met. Rejects with `no-backend` if a shader doesn't compile.
 */
export async function compileShaders(
  backend: RecordingWebgpuBackend,
  inputs: readonly TapeInput[],
  run: UnknownRun,
  onProgress?: (progress: ShaderProgress) => void,
): Promise<void> {
  try {
    backend.compile(() =>
      withUnknownTensors(backend, inputs, (tensors) => {
        for (const { dataId } of run(tensors)) backend.disposeData(dataId);
      }),
    );
  } catch (error) {
    if (!(error instanceof InferenceError) || error.code !== "unsupported") throw error;
  }
  await settle(backend, onProgress);
}

/** Waits for the shaders, and puts each in its place. One that failed is forgotten, so that whoever needs it tries again. */
async function settle(
  { pipelines }: RecordingWebgpuBackend,
  onProgress: ((progress: ShaderProgress) => void) | undefined,
): Promise<void> {
  const pending = Object.entries(pipelines).filter(([, pipeline]) => pipeline instanceof Promise);
  let compiledShaders = 0;
  const report = () => onProgress?.({ compiledShaders, totalShaders: pending.length });
  report();
  const faults: unknown[] = [];
  await Promise.all(
    pending.map(async ([key, pipeline]) => {
      try {
        pipelines[key] = await pipeline;
        compiledShaders++;
        report();
      } catch (error) {
        delete pipelines[key];
        faults.push(error);
      }
    }),
  );
  if (faults.length === 0) return;
  const reasons = faults.map((fault) => (fault instanceof Error ? fault.message : String(fault))).join("; ");
  throw new InferenceError("no-backend", `backend "webgpu": a shader doesn't compile: ${reasons}`, {
    cause: faults[0],
  });
}
