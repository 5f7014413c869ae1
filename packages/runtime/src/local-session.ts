import {
  type AnyModel,
  areTensors,
  type Backend,
  checkInputs,
  checkOutputs,
  type HeldState,
  InferenceError,
  type InputsOf,
  type Manifest,
  type ModelTypes,
  type Precision,
  type RunInputs,
  type RunOptions,
  RunsInFlight,
  type Session,
  type SessionMemory,
  type StateNames,
  type StatePlace,
  type StreamItems,
  type StreamOptions,
  type StreamStep,
  sampleInputs,
  stream,
  type Tensor,
  type TensorSpec,
  type Tensors,
} from "@nearside/core";
import { dispose, engine, type Tensor as TfjsTensor } from "@tensorflow/tfjs-core";
import type { LoadedBackend } from "./backends/loaded-backend.ts";
import { placeImages } from "./images/place-images.ts";
import { type GraphModel, type LoadOptions, loadGraphModel, type ModelFiles } from "./load-graph-model.ts";
import { parseRef } from "./plan/graph-def.ts";
import { finish } from "./plan/run-plan.ts";
import { createState, type SessionState } from "./session-state.ts";
import type { ShaderProgress } from "./tape/compile-shaders.ts";
import { type TapedRun, TapedRuns } from "./tape/taped-runs.ts";
import { fromTfjs, toDecimals, toTfjs } from "./tfjs-tensor.ts";

export interface LocalOptions {
  /** Run before the session counts as open (default true). */
  readonly warmUp?: boolean;
  /** Close the backend with the session, or if it can't be opened (default false). */
  readonly ownsBackend?: boolean;
  /** What matrix products and convolutions take on webgpu (default float32). */
  readonly precision?: Precision;
  readonly signal?: AbortSignal;
  /**
   * Whether the warm-up was done on this device before, with the same model and software, and its recorded run checked,
   * where runs are recorded: then it is recorded, and nothing is run (default false).
   */
  readonly isProven?: boolean;
  /** Told that the warm-up did well, and that its recorded run gives what the model's plan gives. */
  readonly onProven?: () => void;
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
  options: LocalOptions = {},
): Promise<Session<M>> {
  const { warmUp = true, ownsBackend = false, precision = "float32", signal } = options;
  const release = async () => (ownsBackend ? backend.close() : backend.trim?.());
  let session: LocalSession<M>;
  try {
    signal?.throwIfAborted();
    const graph = await loadWatched(files, backend, { precision, signal });
    session = new LocalSession(model, files.manifest, graph, variablesOf(files.manifest, graph), backend, release);
  } catch (error) {
    await release();
    throw error;
  }
  try {
    if (warmUp) await session.warmUp(options);
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

function variablesOf(manifest: Manifest, graph: GraphModel): SessionState {
  try {
    return createState(manifest, graph.weights);
  } catch (error) {
    graph.dispose();
    throw error;
  }
}

interface ComputeOptions {
  readonly signal?: AbortSignal | undefined;
  /** What the run goes on with, and changes unless it is a trial. */
  readonly state: SessionState;
  readonly isTrial?: boolean;
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
  readonly #place: StatePlace;
  /** What the model's variables hold, for the runs that have no state of their own. */
  readonly #state: SessionState;
  readonly #statesOfRuns = new Set<SessionState>();
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
    this.#place = { signature: manifest.signature, hold: async (names, values) => this.#hold(names, values) };
    const isRepeatable = !graph.isRandom && manifest.decimalInputs.length === 0;
    if (backend.ahead && isRepeatable) this.#taped = new TapedRuns(manifest, graph, backend.ahead, backend.watch);
  }

  get signature() {
    return this.#manifest.signature;
  }

  async run(inputs: InputsOf<M>, options: RunOptions = {}): Promise<M["outputs"]> {
    const { outputs, signal, state } = options;
    this.#runs.throwIfClosed();
    signal?.throwIfAborted();
    if (state) return (await this.#runs.add(state.run(this.#place, inputs, options))) as M["outputs"]; // as below
    checkInputs(this.signature, inputs);
    if (outputs) checkOutputs(this.signature, outputs);
    const names = outputs ?? Object.keys(this.signature.outputs);
    const result = this.#state.inTurn(() => this.#compute(inputs, names, { signal, state: this.#state }));
    return (await this.#runs.add(result)) as M["outputs"]; // the outputs of the signature that M describes
  }

  /**
   * Runs as often as the backend needs to be fast, so that kernels are compiled, weights uploaded and the run recorded.
   * What is proven is compiled and recorded, where there is that, and not run. Skipped where a free dimension has no
   * obvious size.
   */
  async warmUp({ isProven = false, onProven, onShader }: LocalOptions): Promise<void> {
    if (isProven && !this.#taped) return;
    const inputs = sampleInputs(this.signature);
    if (!inputs) return;
    const outputs = Object.keys(this.signature.outputs);
    try {
      const run: TapedRun = { inputs, outputs, state: this.#state };
      await this.#taped?.prepare(run, onShader);
      if (isProven && (await this.#taped?.trust(run))) return;
      for (let run = 0; run < (this.#loaded.warmUpRuns ?? 1); run++) {
        await this.#compute(inputs, outputs, { state: this.#state, isTrial: true });
      }
      if (!this.#taped || this.#taped.has(run)) onProven?.();
    } catch (cause) {
      // The op can be computed, only not of zeros: an empty pattern, a permutation of zeros.
      if (cause instanceof InferenceError && cause.code === "invalid-argument") return;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new InferenceError("no-backend", `backend "${this.backend}" cannot run "${this.model}": ${reason}`, {
        cause,
      });
    }
  }

  stream<T>(items: StreamItems<T>, options?: StreamOptions<M, T>): AsyncGenerator<StreamStep<M, T>, void> {
    return stream(this, items, options);
  }

  async memory(): Promise<SessionMemory> {
    this.#runs.throwIfClosed();
    return this.#loaded.memory();
  }

  close(): Promise<void> {
    return this.#runs.close(() => {
      this.#taped?.close();
      for (const state of [this.#state, ...this.#statesOfRuns]) state.dispose();
      this.#graph.dispose();
      return this.#release();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #hold(names: StateNames, values: readonly Tensor[]): HeldState {
    const state = createState(this.#manifest, this.#graph.weights, names, values);
    this.#statesOfRuns.add(state);
    const inTurn = <T>(task: () => Promise<T>) => this.#runs.add(state.inTurn(task));
    return {
      isHere: false,
      run: (inputs, { outputs, signal }) => inTurn(() => this.#compute(inputs, outputs, { signal, state })),
      read: () => inTurn(() => this.#loaded.watch(() => state.read())),
      release: () =>
        inTurn(async () => {
          if (this.#statesOfRuns.delete(state)) state.dispose(); // else closing did
        }),
    };
  }

  /** Computes outputs, by tape where there is one. The state has its new values once nothing can fail any more. */
  async #compute(
    inputs: RunInputs,
    outputs: readonly string[],
    { signal, state, isTrial = false }: ComputeOptions,
  ): Promise<Tensors> {
    signal?.throwIfAborted();
    const kept: TfjsTensor[] = [];
    const placed: TfjsTensor[] = [];
    try {
      const ready = areTensors(inputs) ? inputs : await placeImages(inputs, this.#loaded, placed);
      const run: TapedRun = { inputs: ready, outputs, state };
      const replaying = this.#taped?.run(run, kept);
      // A device is told to be lost after what it interrupts has failed.
      const replayed = await replaying?.catch((error: unknown) => this.#loaded.watch(() => Promise.reject(error)));
      const computed = replayed ?? (await this.#loaded.watch(() => this.#computeByPlan(run, kept)));
      signal?.throwIfAborted();
      if (!replayed) await this.#taped?.learn(run, computed, kept);
      if (!isTrial) state.replace(kept.splice(0));
      return computed;
    } finally {
      dispose([...kept, ...placed]);
    }
  }

  /** Adds the state's new values to `kept`. */
  async #computeByPlan({ inputs, outputs, state }: TapedRun, kept: TfjsTensor[]): Promise<Tensors> {
    const fed = new Map<string, TfjsTensor>();
    let fetched: TfjsTensor[] = [];
    try {
      for (const [name, tensor] of Object.entries(inputs)) {
        const { node } = parseRef(this.#manifest.inputNames[name] as string); // checkInputs saw to it
        fed.get(node)?.dispose(); // two inputs may be one tensor: what is given last counts
        fed.set(node, "dataId" in tensor ? tensor.clone() : this.#feed(name, tensor));
      }
      const names = outputs.map((name) => this.#manifest.outputNames[name] as string); // checkOutputs saw to it
      const feeds = new Map([...fed, ...state.feeds]);
      const results = await finish(this.#graph.run(feeds, [...names, ...state.outputs]));
      fetched = results.map((result) => engine().makeTensorFromTensorInfo(result));
      const tensors = await Promise.all(
        outputs.map(async (name, index) => {
          const spec = this.signature.outputs[name] as TensorSpec; // as above
          return [name, await fromTfjs(fetched[index] as TfjsTensor, spec.dtype)] as const;
        }),
      );
      kept.push(...fetched.splice(names.length));
      return Object.fromEntries(tensors);
    } finally {
      dispose([...fed.values(), ...fetched]);
    }
  }

  #feed(name: string, tensor: Tensor): TfjsTensor {
    const given = this.#manifest.decimalInputs.includes(name) ? toDecimals(tensor) : tensor;
    return toTfjs(given, `input "${name}"`);
  }
}
