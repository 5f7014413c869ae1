import { abortable } from "./abortable.ts";
import { dtypes } from "./dtype.ts";
import { InferenceError } from "./errors.ts";
import { isImage, type RunInputs } from "./image-input.ts";
import type { RunOptions } from "./session.ts";
import { checkInputs, checkOutputs, formatSpec, type Signature, type TensorSpec } from "./signature.ts";
import type { HeldState, StatePlace } from "./state-place.ts";
import { elementCount, type Tensor, type Tensors } from "./tensor.ts";

/** What a run hands on: by an input's name, that of the output that is its next value. */
export type StateNames = Readonly<Record<string, string>>;

export interface RunStateOptions {
  /** What the inputs hold in the first run; zeros, where the signature tells their shapes. */
  readonly initial?: Tensors;
}

/** So many runs, at most, are run again where what held the values is gone. */
const runsBetweenSaves = 16;

/** What their inputs may hold until then: four images of Full HD. */
const bytesBetweenSaves = 32e6;

/**
 * What runs hand on to each other: inputs that are what outputs of the run before were, as a recurrent model has them;
 * and of a model that changes its variables, these. Runs with the same state take turns, and one that fails or is taken
 * back changes nothing. Where a session runs something again because it was lost, what began after it may go first: wait
 * for each run, as `Session.stream` does.
 *
 * The values stay on the device that computes them. Every 16 runs, or 32 MB of inputs, they are saved here, with the
 * inputs of the runs since: what loses its device, or goes on on another one, or on a server, begins with what was saved,
 * and runs these again. On a server, which keeps nothing of its clients, the values travel with each run.
 */
export class RunState {
  readonly names: StateNames;
  readonly #initial: Tensors;
  #saved: readonly Tensor[] | undefined;
  #runsSince: readonly { readonly inputs: RunInputs; readonly outputs: readonly string[] }[] = [];
  #held: { readonly place: StatePlace; readonly state: HeldState } | undefined;
  #lastRun: Promise<unknown> = Promise.resolve();

  constructor(names: StateNames, { initial = {} }: RunStateOptions = {}) {
    this.names = names;
    this.#initial = initial;
  }

  /** Runs at a place, on the inputs that the state doesn't give. What it becomes is not among the outputs, unless asked for. */
  async run(place: StatePlace, inputs: object, { outputs, ...options }: Omit<RunOptions, "state">): Promise<Tensors> {
    const { signature } = place;
    checkNames(signature, this.names);
    checkInputs({ ...signature, inputs: without(signature.inputs, Object.keys(this.names)) }, inputs);
    if (outputs) checkOutputs(signature, outputs);
    const wanted = outputs ?? Object.keys(without(signature.outputs, Object.values(this.names)));
    const run = this.#lastRun.then(() => this.#run(place, inputs, { ...options, outputs: wanted }));
    this.#lastRun = run.then(
      () => this.#save(),
      () => {}, // its caller hears of it; the next begins with what was there before
    );
    return abortable(run, options.signal);
  }

  /** Frees what it holds on a device, after the runs in flight. The next run puts it there again: nothing is lost. */
  release(): Promise<void> {
    const released = this.#lastRun.then(() => this.#leave());
    this.#lastRun = released;
    return released;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  async #run(
    place: StatePlace,
    inputs: RunInputs,
    options: RunOptions & { outputs: readonly string[] },
  ): Promise<Tensors> {
    options.signal?.throwIfAborted();
    const copies = copy(inputs); // now: they may be handed over, or filled anew by the caller
    const { outputs } = options;
    try {
      const held = await this.#heldAt(place, options.signal);
      const results = await held.run(inputs, options);
      this.#runsSince = [...this.#runsSince, { inputs: copies, outputs }];
      return results;
    } catch (error) {
      void this.#leave(); // it may have been run to its end all the same
      throw error;
    }
  }

  async #heldAt(place: StatePlace, signal: AbortSignal | undefined): Promise<HeldState> {
    if (this.#held?.place === place) return this.#held.state;
    await this.#leave();
    this.#saved ??= initialValues(place.signature, this.names, this.#initial);
    const state = await place.hold(this.names, this.#saved);
    this.#held = { place, state };
    for (const { inputs, outputs } of this.#runsSince) {
      await state.run(inputs, { outputs, ...(signal && { signal }) });
    }
    return state;
  }

  async #save(): Promise<void> {
    const state = this.#held?.state;
    if (!state || !(state.isHere || this.#isDue())) return;
    try {
      this.#saved = await state.read();
      this.#runsSince = [];
    } catch {
      await this.#leave(); // where it can't be read, the next run won't find it, and runs all since again elsewhere
    }
  }

  #isDue(): boolean {
    if (this.#runsSince.length >= runsBetweenSaves) return true;
    return this.#runsSince.reduce((sum, { inputs }) => sum + bytesOf(inputs), 0) >= bytesBetweenSaves;
  }

  async #leave(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    await held?.state.release();
  }
}

function checkNames({ inputs, outputs }: Signature, names: StateNames): void {
  for (const [input, output] of Object.entries(names)) {
    const [taken, given] = [inputs[input], outputs[output]];
    if (taken && given && taken.dtype === given.dtype) continue;
    const got = `${taken ? formatSpec(taken) : "no such input"} and ${given ? formatSpec(given) : "no such output"}`;
    const expected = "expected an input and an output of its dtype";
    throw new InferenceError("invalid-argument", `state { "${input}": "${output}" }: ${expected}, got ${got}`);
  }
}

function without<T>(specs: Readonly<Record<string, T>>, names: readonly string[]): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(specs).filter(([name]) => !names.includes(name)));
}

function initialValues({ inputs }: Signature, names: StateNames, initial: Tensors): readonly Tensor[] {
  const specs = Object.fromEntries(Object.keys(names).map((name) => [name, inputs[name] as TensorSpec])); // checked
  const zeros = Object.keys(without(specs, Object.keys(initial))).map((name) => [name, zerosOf(name, specs[name])]);
  const values = { ...initial, ...Object.fromEntries(zeros) } as Tensors;
  checkInputs({ inputs: specs, outputs: {} }, values);
  return Object.values(copy(Object.fromEntries(Object.keys(names).map((name) => [name, values[name] as Tensor]))));
}

function zerosOf(name: string, spec: TensorSpec | undefined): Tensor {
  const shape = spec?.shape?.map((size, axis) => size ?? (axis === 0 ? 1 : Number.NaN));
  if (!spec || !shape || shape.some(Number.isNaN)) {
    const message = `state "${name}": its first value is needed, for its shape is free; give it as initial.${name}`;
    throw new InferenceError("invalid-argument", message);
  }
  const { dtype } = spec;
  const count = elementCount(shape);
  if (dtype === "string") return { dtype, shape, data: new Array<string>(count).fill("") };
  return { dtype, shape, data: new dtypes[dtype].array(dtype === "complex64" ? count * 2 : count) } as Tensor; // matching
}

/** Images stay as they are. */
function copy<T extends RunInputs>(inputs: T): T {
  const copies = Object.entries(inputs).map(([name, input]) => {
    if (isImage(input)) return [name, input];
    const { dtype, shape, data } = input;
    return [name, { dtype, shape: shape.slice(), data: data.slice() }];
  });
  return Object.fromEntries(copies) as T; // the same dtypes
}

function bytesOf(inputs: RunInputs): number {
  const sizes = Object.values(inputs).map((input) => {
    if (isImage(input)) return input.pixels.width * input.pixels.height * 4;
    return "byteLength" in input.data ? input.data.byteLength : input.data.join("").length;
  });
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}
