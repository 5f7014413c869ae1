import {
  type AnyModel,
  type Backend,
  checkInputs,
  checkOutputs,
  dtypes,
  elementCount,
  InferenceError,
  type Manifest,
  type ModelTypes,
  type RunOptions,
  type Session,
  type Tensor,
  type TensorSpec,
  type Tensors,
} from "@nearside/core";
import type { GraphModel } from "@tensorflow/tfjs-converter";
import { dispose, type NamedTensorMap, type Tensor as TfjsTensor } from "@tensorflow/tfjs-core";
import type { LoadedBackend } from "./backends/loaded-backend.ts";
import { isAsynchronousKernel } from "./kernels/install-kernels.ts";
import { loadGraphModel, type ModelFiles } from "./load-graph-model.ts";
import { SessionState } from "./session-state.ts";
import { fromTfjs, toTfjs } from "./tfjs-tensor.ts";

export interface LocalOptions {
  /** Run once on zeros before the session counts as open (default true). */
  readonly warmUp?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Opens a model on a backend of this thread. Rejects with `data-loss` if the files are broken, and with `no-backend`
 * if the warm-up run shows that this backend can't run the model (a missing kernel, too little memory).
 */
export async function openLocalSession<M extends ModelTypes = AnyModel>(
  model: string,
  files: ModelFiles,
  backend: LoadedBackend,
  { warmUp = true, signal }: LocalOptions = {},
): Promise<Session<M>> {
  signal?.throwIfAborted();
  const graph = await loadGraphModel(files, signal);
  const state = createState(files.manifest, graph);
  const session = new LocalSession<M>(model, files.manifest, graph, state, backend);
  try {
    if (warmUp) await session.warmUp();
    signal?.throwIfAborted();
  } catch (error) {
    await session.close();
    throw error;
  }
  return session;
}

function createState({ state }: Manifest, graph: GraphModel): SessionState {
  try {
    return new SessionState(state, graph.weights);
  } catch (error) {
    graph.dispose();
    throw error;
  }
}

// Nodes of these ops make a graph's execution depend on values, so TensorFlow.js must run it asynchronously.
const asynchronousOps = new Set(
  ["Switch", "Merge", "Enter", "Exit", "NextIteration", "StatelessIf", "StatelessWhile", "If", "While", "Where"].concat(
    ["NonMaxSuppressionV2", "NonMaxSuppressionV3", "NonMaxSuppressionV5"],
    ["LookupTableFind", "LookupTableFindV2", "LookupTableSize", "LookupTableSizeV2"],
  ),
);

// These wait for values, too, but TensorFlow.js doesn't think of them when it decides whether to warn.
const waitingOps = new Set(["ListDiff", "NonMaxSuppressionV4"]);

/** What TensorFlow.js's types hide of the executor below a graph model. */
interface GraphExecutor {
  _executeAsync(inputs: NamedTensorMap, outputs: readonly string[], isFunction: boolean): Promise<TfjsTensor[]>;
}

interface ComputeOptions {
  readonly signal?: AbortSignal | undefined;
  readonly keepsState: boolean;
}

/** A session in this thread, over a TensorFlow.js graph model. */
class LocalSession<M extends ModelTypes> implements Session<M> {
  readonly model: string;
  readonly backend: Backend;
  readonly location = "local";
  readonly #manifest: Manifest;
  readonly #graph: GraphModel;
  readonly #loaded: LoadedBackend;
  readonly #isAsynchronous: boolean;
  readonly #waitsForKernels: boolean;
  readonly #state: SessionState;
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(model: string, manifest: Manifest, graph: GraphModel, state: SessionState, backend: LoadedBackend) {
    this.model = model;
    this.backend = backend.name;
    this.#manifest = manifest;
    this.#graph = graph;
    this.#state = state;
    this.#loaded = backend;
    const { node = [] } = manifest.json.modelTopology as { node?: readonly { op: string }[] }; // loaded, so it is one
    this.#isAsynchronous = node.some(({ op }) => asynchronousOps.has(op));
    this.#waitsForKernels = node.some(
      ({ op }) => isAsynchronousKernel(op) || waitingOps.has(op) || /^(Empty)?TensorList/.test(op),
    );
  }

  get signature() {
    return this.#manifest.signature;
  }

  async run(inputs: M["inputs"], { outputs, signal }: RunOptions = {}): Promise<M["outputs"]> {
    if (this.#closing) throw new InferenceError("closed", `session "${this.model}" is closed; open it again`);
    signal?.throwIfAborted();
    checkInputs(this.signature, inputs);
    if (outputs) checkOutputs(this.signature, outputs);
    const names = outputs ?? Object.keys(this.signature.outputs);
    const result = this.#state.inTurn(() => this.#compute(inputs, names, { signal, keepsState: true }));
    this.#running.add(result);
    try {
      return (await result) as M["outputs"]; // the outputs of the signature that M describes
    } finally {
      this.#running.delete(result);
    }
  }

  /** Runs on zeros, so that kernels are compiled and weights uploaded; skipped where a free dimension has no obvious size. */
  async warmUp(): Promise<void> {
    const inputs: Record<string, Tensor> = {};
    for (const [name, spec] of Object.entries(this.signature.inputs)) {
      const shape = smallestShape(spec);
      if (!shape) return;
      inputs[name] = zeros(spec, shape);
    }
    try {
      await this.#compute(inputs, Object.keys(this.signature.outputs), { keepsState: false });
    } catch (cause) {
      // The op can be computed, only not of zeros: an empty pattern, a permutation of zeros.
      if (cause instanceof InferenceError && cause.code === "invalid-argument") return;
      const reason = cause instanceof Error ? cause.message : String(cause);
      if (/elements of an empty list/.test(reason)) return; // a loop of no rounds, which TensorFlow refuses, too
      throw new InferenceError("no-backend", `backend "${this.backend}" cannot run "${this.model}": ${reason}`, {
        cause,
      });
    }
  }

  close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#running).then(() => {
      this.#state.dispose();
      this.#graph.dispose();
    });
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Computes outputs. The variables' new values are kept once nothing can fail any more, and if the run is to count. */
  #compute(inputs: Tensors, outputs: readonly string[], options: ComputeOptions): Promise<Tensors> {
    const compute = () => this.#computeUnwatched(inputs, outputs, options);
    return this.#loaded.watch ? this.#loaded.watch(compute) : compute();
  }

  async #computeUnwatched(
    inputs: Tensors,
    outputs: readonly string[],
    { signal, keepsState }: ComputeOptions,
  ): Promise<Tensors> {
    signal?.throwIfAborted();
    const fed: NamedTensorMap = {};
    let fetched: TfjsTensor[] = [];
    try {
      for (const [name, tensor] of Object.entries(inputs)) {
        fed[this.#inputName(name)] = toTfjs(tensor, `input "${name}"`);
      }
      const names = outputs.map((name) => this.#manifest.outputNames[name] as string); // checkOutputs saw to it
      const result = await this.#execute({ ...fed, ...this.#state.feeds }, [...names, ...this.#state.outputs]);
      fetched = Array.isArray(result) ? result : [result];
      const tensors = await Promise.all(
        outputs.map(async (name, index) => {
          const spec = this.signature.outputs[name] as TensorSpec; // as above
          return [name, await fromTfjs(fetched[index] as TfjsTensor, spec.dtype)] as const;
        }),
      );
      signal?.throwIfAborted();
      if (keepsState) this.#state.replace(fetched.splice(names.length));
      return Object.fromEntries(tensors);
    } finally {
      const weights = new Set(Object.values(this.#graph.weights).flat()); // an output may be a constant of the graph
      dispose([...Object.values(fed), ...fetched.filter((tensor) => !weights.has(tensor))]);
    }
  }

  async #execute(inputs: NamedTensorMap, names: string[]): Promise<TfjsTensor | TfjsTensor[]> {
    const fed = { ...inputs }; // TensorFlow.js adds the handles of lookup tables, which aren't for us to dispose of
    if (this.#isAsynchronous) return this.#graph.executeAsync(fed, names);
    if (!this.#waitsForKernels) return this.#graph.execute(fed, names);
    // executeAsync would warn on the user's console that the model has no control flow, at each run, unless it takes
    // the graph for a function's.
    const { executor } = this.#graph as unknown as { executor: GraphExecutor };
    return executor._executeAsync(fed, names, true);
  }

  #inputName(name: string): string {
    return (this.#manifest.inputNames[name] as string).replace(/:0$/, ""); // checkInputs saw to it; nodes, not tensors
  }
}

/** The shape with 1 for a free first dimension (the batch); undefined where another dimension is free. */
function smallestShape({ shape }: TensorSpec): number[] | undefined {
  const sizes = shape?.map((size, axis) => (axis === 0 ? (size ?? 1) : size));
  return sizes?.every((size) => size !== null) ? sizes : undefined;
}

function zeros({ dtype }: TensorSpec, shape: readonly number[]): Tensor {
  const count = elementCount(shape);
  if (dtype === "string") return { dtype, shape, data: new Array<string>(count).fill("") };
  return { dtype, shape, data: new dtypes[dtype].array(dtype === "complex64" ? count * 2 : count) } as Tensor; // matching
}
