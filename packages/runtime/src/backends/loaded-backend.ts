import { type Backend, type ImageInput, InferenceError, type SessionMemory } from "@nearside/core";
import {
  backend as currentBackend,
  enableProdMode,
  findBackendFactory,
  memory,
  registerBackend,
  removeBackend,
  setBackend,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { asOutOfMemory } from "../out-of-memory.ts";
import { selfTest } from "../self-test.ts";
import type { ShaderProgress } from "../tape/compile-shaders.ts";
import type { TapeInput, UnknownRun } from "../tape/record-tape.ts";
import type { Tape } from "../tape/tape.ts";

/** What a backend can do before a run. */
export interface Ahead {
  /** See `compileShaders`. */
  compile(
    inputs: readonly TapeInput[],
    run: UnknownRun,
    onProgress?: (progress: ShaderProgress) => void,
  ): Promise<void>;
  /** See `recordTape`. */
  record(inputs: readonly TapeInput[], run: UnknownRun): Tape;
  /** Where a tensor's elements are on the device, once all that was to be computed before is on its way there. */
  bufferOf(tensor: TensorInfo): GPUBuffer;
  /** A tensor on the device, for a tape to fill. */
  allocate(input: TapeInput): TensorInfo;
}

/** A backend that is loaded in this thread and has computed a known product correctly, now or before. */
export interface LoadedBackend {
  readonly name: Backend;
  /** Which device it is, where there are several kinds, for what is remembered of it. */
  readonly device?: string;
  /** How many threads it computes in, where it could be more than one. */
  readonly threads?: number;
  /** How many runs it takes until the next costs what later ones do (default 1). */
  readonly warmUpRuns?: number;
  /**
   * Runs something on the device, and rejects if its results are worth nothing: with `device-lost` if the device is
   * gone, `out-of-memory`, `internal` if it reports another fault.
   */
  watch<T>(run: () => Promise<T>): Promise<T>;
  /** Looks ahead at runs on tensors that aren't known yet: where there are shaders to compile and commands to record. */
  readonly ahead?: Ahead;
  /** Makes a tensor of an image on the device, where that can; undefined if it can't hold the image. */
  imageTensor?(image: ImageInput): TensorInfo | undefined;
  /** What is on the device now. */
  memory(): SessionMemory;
  /** Gives back what is kept for later runs, where anything is. */
  trim?(): void;
  /** Frees the backend, which may be opened again. Close its sessions first. */
  close(): Promise<void>;
}

interface StartOptions {
  readonly isTested?: boolean;
  /**
   * Rows and columns of what it is tested with (default 64). So many are shared out among threads, and are more than
   * the 1000 elements below which the WebGPU backend computes on the CPU, which would prove nothing.
   */
  readonly testSize?: number;
}

/**
 * Makes the registered TensorFlow.js backend `name` the one of this thread, and tests it unless it was tested before.
 * Rejects with `no-backend` if it can't start or computes wrongly; then nothing of it is left.
 */
export async function startBackend(
  name: Backend,
  { isTested = false, testSize = 64 }: StartOptions = {},
): Promise<LoadedBackend> {
  enableProdMode(); // or TensorFlow.js advises whoever reads the console to install another package
  try {
    // setBackend answers false where the factory failed, and getBackend() tells the name all the same.
    if (!(await setBackend(name))) throw new Error("TensorFlow.js could not start it");
    if (!isTested) await selfTest(testSize);
  } catch (cause) {
    free(name);
    const reason = cause instanceof Error ? cause.message : JSON.stringify(cause);
    throw new InferenceError("no-backend", `backend "${name}" cannot run here: ${reason}`, { cause });
  }
  const backend = currentBackend();
  return {
    name,
    async watch(run) {
      try {
        return await run();
      } catch (thrown) {
        throw asOutOfMemory(thrown);
      }
    },
    memory: () => ({ deviceBytes: memory().numBytes, tensors: backend.numDataIds() }),
    close: async () => free(name),
  };
}

/** Frees a backend but leaves it registered: most register when they are imported, which is once. */
function free(name: Backend): void {
  const factory = findBackendFactory(name);
  removeBackend(name);
  registerBackend(name, factory);
}
