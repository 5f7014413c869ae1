import {
  type AnyModel,
  type Backend,
  checkInputs,
  checkOutputs,
  InferenceError,
  type Manifest,
  type ModelTypes,
  type Precision,
  type RunOptions,
  RunsInFlight,
  type Session,
  type SessionMemory,
  sampleInputs,
  type TensorSpec,
  type Tensors,
} from "@nearside/core";
import { dispose, engine, type Tensor as TfjsTensor } from "@tensorflow/tfjs-core";
import type { LoadedBackend } from "./backends/loaded-backend.ts";
import { type GraphModel, type LoadOptions, loadGraphModel, type ModelFiles } from "./load-graph-model.ts";
import { parseRef } from "./plan/graph-def.ts";
import { finish } from "./plan/run-plan.ts";
import { SessionState } from "./session-state.ts";
import type { ShaderProgress } from "./tape/compile-shaders.ts";
import { TapedRuns } from "./tape/taped-runs.ts";
import { fromTfjs, toDecimals, toTfjs } from "./tfjs-tensor.ts";

export interface LocalOptions {
  /** Run before the session counts as open (default true). */
  readonly warmUp?: boolean;
  /** Close the backend with the session, or if it can't be opened (default false). */
  readonly ownsBackend?: boolean;
  /** What matrix products and convolutions take on webgpu (default float32). */
  readonly precision?: Precision;
  readonly signal?: AbortSignal;
  /** Told of each shader that the warm-up compiled. */
  readonly onShader?: (progress: ShaderProgress) => void;
}

/**
 * Opens a model on a backend of this thread. Rejects with `data-loss` if the files are broken, and with `no-backend`
 * if the warm-up run shows that this backend can't run the model (a missing kernel, too little memory).
 */
export async function openLocalSession<M extends ModelTypes = AnyModel>(
  model: string,
  files: ModelFiles,
  backend: LoadedBackend,
  { warmUp = true, ownsBackend = false, precision = "float32", signal, onShader }: LocalOptions = {},
): Promise<Session<M>> {
  const release = async () => (ownsBackend ? backend.close() : backend.trim?.());
  let session: LocalSession<M>;
  try {
    signal?.throwIfAborted();
    const graph = await loadWatched(files, backend, { precision, signal });
    session = new LocalSession(model, files.manifest, graph, createState(files.manifest, graph), backend, release);
  } catch (error) {
    await release();
    throw error;
  }
  try {
    if (warmUp) await session.warmUp(onShader);
    signal?.throwIfAborted();
  } catch (error) {
    await session.close();
    throw error;
  }
  return session;
}

/** Loads the model, unless the device reports that it couldn't. */
async function loadWatched(files: ModelFiles, backend: LoadedBackend, options: LoadOptions): Promise<GraphModel> {
  let loading: Promise<GraphModel> | undefined;
  try {
    return await backend.watch(() => {
      loading = loadGraphModel(files, options);
      return loading;
    });
  } catch (error) {
    const graph = await loading?.catch(() => undefined); // it may have come to its end all the same
    graph?.dispose();
    throw error;
  }
}

function createState({ state }: Manifest, graph: GraphModel): SessionState {
  try {
    return new SessionState(state, graph.weights);
  } catch (error) {
    graph.dispose();
    throw error;
  }
}

interface ComputeOptions {
  readonly signal?: AbortSignal | undefined;
  readonly keepsState: boolean;
}

/** A session in this thread. */
class LocalSession<M extends ModelTypes> implements Session<M> {
  readonly model: string;
  readonly backend: Backend;
  readonly location = "local";
  readonly keepsState: boolean;
  readonly #manifest: Manifest;
  readonly #graph: GraphModel;
  readonly #loaded: LoadedBackend;
  readonly #state: SessionState;
  readonly #taped: TapedRuns | undefined;
  readonly #release: () => Promise<void>;
  readonly #runs: RunsInFlight;

  /** `release` is called when what the model held on the backend is freed. */
  constructor(
    model: string,
    manifest: Manifest,
    graph: GraphModel,
    state: SessionState,
    backend: LoadedBackend,
    release: () => Promise<void>,
  ) {
    this.model = model;
    this.backend = backend.name;
    this.keepsState = manifest.state.length > 0;
    this.#runs = new RunsInFlight(model);
    this.#manifest = manifest;
    this.#graph = graph;
    this.#state = state;
    this.#loaded = backend;
    this.#release = release;
    const isRepeatable = !graph.isRandom && !this.keepsState && manifest.decimalInputs.length === 0;
    if (backend.ahead && isRepeatable) this.#taped = new TapedRuns(manifest, graph, backend.ahead, backend.watch);
  }

  get signature() {
    return this.#manifest.signature;
  }

  async run(inputs: M["inputs"], { outputs, signal }: RunOptions = {}): Promise<M["outputs"]> {
    this.#runs.throwIfClosed();
    signal?.throwIfAborted();
    checkInputs(this.signature, inputs);
    if (outputs) checkOutputs(this.signature, outputs);
    const names = outputs ?? Object.keys(this.signature.outputs);
    const result = this.#state.inTurn(() => this.#compute(inputs, names, { signal, keepsState: true }));
    return (await this.#runs.add(result)) as M["outputs"]; // the outputs of the signature that M describes
  }

  /**
   * Runs as often as the backend needs to be fast, so that kernels are compiled, weights uploaded and the run recorded.
   * Skipped where a free dimension has no obvious size.
   */
  async warmUp(onProgress?: (progress: ShaderProgress) => void): Promise<void> {
    const inputs = sampleInputs(this.signature);
    if (!inputs) return;
    const outputs = Object.keys(this.signature.outputs);
    try {
      await this.#taped?.prepare(inputs, outputs, onProgress);
      for (let run = 0; run < (this.#loaded.warmUpRuns ?? 1); run++) {
        await this.#compute(inputs, outputs, { keepsState: false });
      }
    } catch (cause) {
      // The op can be computed, only not of zeros: an empty pattern, a permutation of zeros.
      if (cause instanceof InferenceError && cause.code === "invalid-argument") return;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new InferenceError("no-backend", `backend "${this.backend}" cannot run "${this.model}": ${reason}`, {
        cause,
      });
    }
  }

  async memory(): Promise<SessionMemory> {
    this.#runs.throwIfClosed();
    return this.#loaded.memory();
  }

  close(): Promise<void> {
    return this.#runs.close(() => {
      this.#taped?.close();
      this.#state.dispose();
      this.#graph.dispose();
      return this.#release();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Computes outputs, by tape where there is one. */
  async #compute(inputs: Tensors, outputs: readonly string[], options: ComputeOptions): Promise<Tensors> {
    options.signal?.throwIfAborted();
    const taped = this.#taped;
    const replaying = taped?.run(inputs, outputs);
    if (replaying) {
      // A device is told to be lost after what it interrupts has failed.
      const replayed = await replaying.catch((error: unknown) => this.#loaded.watch(() => Promise.reject(error)));
      options.signal?.throwIfAborted();
      return replayed;
    }
    const computed = await this.#computeByPlan(inputs, outputs, options);
    await taped?.learn(inputs, outputs, computed);
    return computed;
  }

  /** Runs the plan. The variables' new values are kept once nothing can fail any more, and if the run is to count. */
  async #computeByPlan(
    inputs: Tensors,
    outputs: readonly string[],
    { signal, keepsState }: ComputeOptions,
  ): Promise<Tensors> {
    const state: TfjsTensor[] = [];
    try {
      const tensors = await this.#loaded.watch(() => this.#computeUnwatched(inputs, outputs, state));
      signal?.throwIfAborted();
      if (keepsState) this.#state.replace(state.splice(0));
      return tensors;
    } finally {
      dispose(state);
    }
  }

  /** Adds the variables' new values to `state`. */
  async #computeUnwatched(inputs: Tensors, outputs: readonly string[], state: TfjsTensor[]): Promise<Tensors> {
    const fed = new Map<string, TfjsTensor>();
    let fetched: TfjsTensor[] = [];
    try {
      for (const [name, tensor] of Object.entries(inputs)) {
        const given = this.#manifest.decimalInputs.includes(name) ? toDecimals(tensor) : tensor;
        const { node } = parseRef(this.#manifest.inputNames[name] as string); // checkInputs saw to it
        fed.get(node)?.dispose(); // two inputs may be one tensor: what is given last counts
        fed.set(node, toTfjs(given, `input "${name}"`));
      }
      const names = outputs.map((name) => this.#manifest.outputNames[name] as string); // checkOutputs saw to it
      const feeds = new Map([...fed, ...this.#state.feeds]);
      const results = await finish(this.#graph.run(feeds, [...names, ...this.#state.outputs]));
      fetched = results.map((result) => engine().makeTensorFromTensorInfo(result));
      const tensors = await Promise.all(
        outputs.map(async (name, index) => {
          const spec = this.signature.outputs[name] as TensorSpec; // as above
          return [name, await fromTfjs(fetched[index] as TfjsTensor, spec.dtype)] as const;
        }),
      );
      state.push(...fetched.splice(names.length));
      return Object.fromEntries(tensors);
    } finally {
      dispose([...fed.values(), ...fetched]);
    }
  }
}
