import {
  type AnyModel,
  checkInputs,
  checkOutputs,
  InferenceError,
  plainPlace,
  type RunOptions,
  RunsInFlight,
  type Session,
  type SessionMemory,
  type StreamItems,
  type StreamOptions,
  type StreamStep,
  sampleInputs,
  stream,
  type Tensor,
  type TensorSpec,
  type Tensors,
} from "@nearside/core";
import { fromNative, requireNative, toNative } from "./native-tensor.ts";
import { cannotRun, readSavedSignature, type SavedModelSource, type SavedSignature } from "./saved-model.ts";
import type { NativeTensor, TensorflowAddon } from "./tensorflow-package.ts";

export interface OpenSavedModelOptions {
  /** Whether runs change variables. Such a model isn't warmed up. */
  readonly keepsState: boolean;
  /** Run it once before the session counts as open (default true). */
  readonly warmUp?: boolean;
}

/**
 * Opens a SavedModel as it is, in TensorFlow, in this process. Rejects with `no-backend` if it can't be run this way,
 * `data-loss` if it can't be loaded.
 */
export async function openSavedModel(
  model: string,
  source: SavedModelSource,
  { keepsState, warmUp = true }: OpenSavedModelOptions,
  addon: TensorflowAddon,
): Promise<Session> {
  const saved = await readSavedSignature(source);
  const { inputs, outputs } = saved.signature;
  for (const [name, spec] of Object.entries(inputs)) requireNative(spec, "in", `input "${name}"`);
  for (const [name, spec] of Object.entries(outputs)) requireNative(spec, "out", `output "${name}"`);
  const session = new SavedModelSession(model, { ...saved, id: load(source, addon), keepsState }, addon);
  try {
    if (warmUp && !keepsState) await session.warmUp();
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

function load({ path, tags = ["serve"] }: SavedModelSource, addon: TensorflowAddon): number {
  try {
    return addon.loadSavedModel(path, tags.join(","));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (/Op type not registered/.test(reason)) throw cannotRun(reason); // an op of a library that isn't TensorFlow's own
    throw new InferenceError("data-loss", `${path}: TensorFlow cannot load it: ${reason}`, { cause });
  }
}

interface LoadedModel extends SavedSignature {
  readonly id: number;
  readonly keepsState: boolean;
}

/** A SavedModel in TensorFlow, in this thread, which waits for each run. */
class SavedModelSession implements Session {
  readonly model: string;
  readonly backend = "tensorflow";
  readonly location = "local";
  readonly signature: Session["signature"];
  readonly keepsState: boolean;
  readonly #loaded: LoadedModel;
  readonly #addon: TensorflowAddon;
  readonly #runs: RunsInFlight;
  readonly #place = plainPlace(this); // TensorFlow's tensors are in this process's memory as they are

  constructor(model: string, loaded: LoadedModel, addon: TensorflowAddon) {
    this.model = model;
    this.signature = loaded.signature;
    this.keepsState = loaded.keepsState;
    this.#loaded = loaded;
    this.#addon = addon;
    this.#runs = new RunsInFlight(model);
  }

  async run(inputs: Tensors, options: RunOptions = {}): Promise<Tensors> {
    const { outputs, signal, state } = options;
    this.#runs.throwIfClosed();
    signal?.throwIfAborted();
    if (state) return state.run(this.#place, inputs, options);
    checkInputs(this.signature, inputs);
    if (outputs) checkOutputs(this.signature, outputs);
    return this.#runs.add(this.#compute(inputs, outputs ?? Object.keys(this.signature.outputs), signal));
  }

  /** TensorFlow optimises a graph when it first runs it. Skipped where a free dimension has no obvious size. */
  async warmUp(): Promise<void> {
    const inputs = sampleInputs(this.signature);
    if (!inputs) return;
    await this.run(inputs).catch((error: InferenceError) => {
      if (error.code !== "invalid-argument") throw error; // else only these values don't fit
    });
  }

  stream<T>(
    items: StreamItems<T>,
    options?: StreamOptions<AnyModel, T>,
  ): AsyncGenerator<StreamStep<AnyModel, T>, void> {
    return stream(this, items, options);
  }

  /** The process's memory: TensorFlow tells nobody what it holds of it. */
  async memory(): Promise<SessionMemory> {
    this.#runs.throwIfClosed();
    return { deviceBytes: process.memoryUsage.rss(), tensors: this.#addon.getNumOfTensors() + 1 };
  }

  close(): Promise<void> {
    return this.#runs.close(() => this.#addon.deleteSavedModel(this.#loaded.id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #compute(inputs: Tensors, outputs: readonly string[], signal: AbortSignal | undefined): Promise<Tensors> {
    await new Promise((resolve) => setImmediate(resolve)); // so that an abort that has arrived is heard
    signal?.throwIfAborted();
    const ids: number[] = [];
    try {
      for (const tensor of Object.values(inputs)) ids.push(toNative(this.#addon, tensor));
      const results = this.#runGraph(Object.keys(inputs), ids, outputs);
      ids.push(...results.map(({ id }) => id));
      const tensors = outputs.map((name, index): [string, Tensor] => {
        const { dtype } = this.signature.outputs[name] as TensorSpec; // checkOutputs saw to it
        return [name, fromNative(this.#addon, results[index] as NativeTensor, dtype, `output "${name}"`)];
      });
      return Object.fromEntries(tensors);
    } finally {
      for (const id of ids) this.#addon.deleteTensor(id);
    }
  }

  #runGraph(inputs: readonly string[], ids: readonly number[], outputs: readonly string[]): NativeTensor[] {
    const { id, names } = this.#loaded;
    const inputNames = inputs.map((name) => names.inputs.get(name)).join(",");
    const outputNames = outputs.map((name) => names.outputs.get(name)).join(",");
    try {
      return this.#addon.runSavedModel(id, ids, inputNames, outputNames);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      // The addon drops TensorFlow's code. The graph is sound, as the warm-up showed, so it is the values.
      const code = /\bOOM\b|out of memory|ran out of/i.test(reason) ? "out-of-memory" : "invalid-argument";
      throw new InferenceError(code, `${this.model}: ${reason}`, { cause });
    }
  }
}
