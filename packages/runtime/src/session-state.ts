import { InferenceError, type StateEntry } from "@nearside/core";
import { dispose, type NamedTensorMap, type Tensor as TfjsTensor } from "@tensorflow/tfjs-core";

/** The values that a session keeps from run to run, on its backend. */
export class SessionState {
  /** The nodes that return the new values, in order. */
  readonly outputs: readonly string[];
  readonly #inputs: readonly string[];
  #values: readonly TfjsTensor[];
  #lastRun: Promise<unknown> = Promise.resolve();

  /** Begins with the weights that the entries name. Throws `data-loss` if one isn't there. */
  constructor(entries: readonly StateEntry[], weights: NamedTensorMap) {
    this.outputs = entries.map(({ output }) => output);
    this.#inputs = entries.map(({ input }) => input);
    this.#values = entries.map(({ initial }) => {
      const weight = weights[initial];
      if (weight !== undefined) return weight.clone(); // of its own, to dispose of
      const message = `model.json: nearside.state: expected a weight "${initial}", got none; convert the model again`;
      throw new InferenceError("data-loss", message);
    });
  }

  /** Runs `task` once the runs before it are over: each begins with what the one before it left. */
  inTurn<T>(task: () => Promise<T>): Promise<T> {
    if (this.outputs.length === 0) return task();
    const run = this.#lastRun.then(task);
    this.#lastRun = run.catch(() => {}); // its caller hears of it; the next begins with what was there before
    return run;
  }

  /** What the next run takes, by node. */
  get feeds(): readonly (readonly [string, TfjsTensor])[] {
    return this.#values.map((value, index) => [this.#inputs[index] as string, value] as const); // one for each
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
