import {
  type DType,
  InferenceError,
  type Manifest,
  type StateNames,
  type Tensor,
  type TensorSpec,
} from "@nearside/core";
import { dispose, type NamedTensorMap, type Tensor as TfjsTensor } from "@tensorflow/tfjs-core";
import { parseRef } from "./plan/graph-def.ts";
import { fromTfjs, toTfjs } from "./tfjs-tensor.ts";

/** What is kept from run to run: the nodes that take and return it, and the dtype that it is told in. */
export interface KeptNode {
  readonly input: string;
  readonly output: string;
  readonly dtype: DType;
}

/** The values that a session keeps from run to run, on its backend. */
export class SessionState {
  readonly nodes: readonly KeptNode[];
  /** The nodes that return the new values, in order. */
  readonly outputs: readonly string[];
  #values: readonly TfjsTensor[];
  #lastRun: Promise<unknown> = Promise.resolve();

  /** Begins with these values, one for each node, and disposes of them. */
  constructor(nodes: readonly KeptNode[], values: readonly TfjsTensor[]) {
    this.nodes = nodes;
    this.outputs = nodes.map(({ output }) => output);
    this.#values = values;
  }

  /** Runs `task` once the runs before it are over: each begins with what the one before it left. */
  inTurn<T>(task: () => Promise<T>): Promise<T> {
    if (this.outputs.length === 0) return task();
    const run = this.#lastRun.then(task);
    this.#lastRun = run.catch(() => {}); // its caller hears of it; the next begins with what was there before
    return run;
  }

  /** What the next run takes, by node. */
  get feeds(): ReadonlyMap<string, TfjsTensor> {
    return new Map(this.nodes.map(({ input }, index) => [input, this.#values[index] as TfjsTensor])); // one for each
  }

  /** The values as tensors. */
  read(): Promise<readonly Tensor[]> {
    return Promise.all(this.#values.map((value, index) => fromTfjs(value, (this.nodes[index] as KeptNode).dtype))); // as above
  }

  /** Keeps what a run returned for `outputs`, in the place of what was there. */
  replace(values: readonly TfjsTensor[]): void {
    dispose([...this.#values]);
    this.#values = values;
  }

  dispose(): void {
    this.replace([]);
  }
}

/**
 * The state of runs that hand these outputs on to these inputs, and the model's variables. `values` are those of the
 * names, and then of the variables, which without hold the weights that `model.json` names. Throws `data-loss` if one
 * isn't there, `unsupported` where an input is no number to the model.
 */
export function createState(
  { signature, inputNames, outputNames, state, decimalInputs }: Manifest,
  weights: NamedTensorMap,
  names: StateNames = {},
  values: readonly Tensor[] = [],
): SessionState {
  const decimal = Object.keys(names).find((name) => decimalInputs.includes(name));
  if (decimal !== undefined) {
    throw new InferenceError("unsupported", `state "${decimal}": the model takes it as text and returns a number`);
  }
  const named = Object.entries(names).map(([input, output]) => ({
    input: parseRef(inputNames[input] as string).node, // whoever gives the names has checked them
    output: outputNames[output] as string,
    dtype: (signature.inputs[input] as TensorSpec).dtype,
  }));
  const variables = state.map(({ input, output, initial }) => {
    const weight = weights[initial];
    if (weight !== undefined) return { input, output, dtype: weight.dtype as DType, weight }; // they have the same names
    const message = `model.json: nearside.state: expected a weight "${initial}", got none; convert the model again`;
    throw new InferenceError("data-loss", message);
  });
  const given = values.map((value, index) => toTfjs(value, `value ${index} of the state`));
  const rest = variables.slice(given.length - named.length).map(({ weight }) => weight.clone()); // to dispose of
  return new SessionState([...named, ...variables], [...given, ...rest]);
}
