import type { Manifest, TensorSpec, Tensors } from "@nearside/core";
import { dispose, engine, type TensorInfo, type Tensor as TfjsTensor, tensor } from "@tensorflow/tfjs-core";
import type { Ahead, LoadedBackend } from "../backends/loaded-backend.ts";
import type { PlacedInputs } from "../images/place-images.ts";
import type { GraphModel } from "../load-graph-model.ts";
import { parseRef } from "../plan/graph-def.ts";
import { finishNow } from "../plan/run-plan.ts";
import type { SessionState } from "../session-state.ts";
import { type DeviceNumbers, toDeviceNumbers, toTensor } from "../tfjs-tensor.ts";
import type { ShaderProgress } from "./compile-shaders.ts";
import type { TapeInput, UnknownRun } from "./record-tape.ts";
import type { Tape, TapeOutput, TapeValue } from "./tape.ts";
import { Tapes } from "./tapes.ts";

/** What is run: the inputs that the state doesn't give, the outputs to tell, and what goes on from run to run. */
export interface TapedRun {
  readonly inputs: PlacedInputs;
  readonly outputs: readonly string[];
  readonly state: SessionState;
}

/** A session's runs by tape: which of its runs there are tapes for, and what goes in and out of them. */
export class TapedRuns {
  readonly #manifest: Manifest;
  readonly #graph: GraphModel;
  readonly #ahead: Ahead;
  readonly #watch: LoadedBackend["watch"];
  readonly #tapes = new Tapes();

  constructor(manifest: Manifest, graph: GraphModel, ahead: Ahead, watch: LoadedBackend["watch"]) {
    this.#manifest = manifest;
    this.#graph = graph;
    this.#ahead = ahead;
    this.#watch = watch;
  }

  /** Runs by tape, and adds the state's new values to `kept`; undefined where there is none for such a run. */
  run(run: TapedRun, kept: TfjsTensor[]): Promise<Tensors> | undefined {
    const taken = this.#take(run);
    const tape = taken && this.#tapes.find(taken.kind);
    return tape && this.#replay(tape, run, taken, kept);
  }

  /** Compiles what such a run needs, and has the first one recorded. */
  async prepare(run: TapedRun, onProgress?: (progress: ShaderProgress) => void): Promise<void> {
    const taken = this.#take(run);
    if (taken === undefined) return;
    await this.#watch(() => this.#ahead.compile([...taken.given.values()], this.#runOn(taken), onProgress));
    this.#tapes.expect(taken.kind);
  }

  /** Records such a run without checking it. False if it can't be recorded. */
  async trust(run: TapedRun): Promise<boolean> {
    const taken = this.#take(run);
    if (taken === undefined) return false;
    const record = () => this.#ahead.record([...taken.given.values()], this.#runOn(taken));
    await this.#watch(() => this.#tapes.learn(taken.kind, record, async () => true));
    return this.has(run);
  }

  /** Whether there is a tape for such a run. */
  has(run: TapedRun): boolean {
    const taken = this.#take(run);
    return taken !== undefined && this.#tapes.find(taken.kind) !== undefined;
  }

  /**
   * Learns from a run without a tape, before the state has the new values, which are `kept`. The tape is kept if, on the
   * same inputs, it gives the same, bit by bit.
   */
  async learn(run: TapedRun, computed: Tensors, kept: readonly TfjsTensor[]): Promise<void> {
    const taken = this.#take(run);
    if (taken === undefined) return;
    const { kind, given } = taken;
    if (!this.#tapes.isDue(kind)) {
      this.#tapes.expect(kind); // nothing, unless it is the first of its kind
      return;
    }
    const record = () => this.#ahead.record([...given.values()], this.#runOn(taken));
    const isRight = async (tape: Tape) => {
      const wrong = await this.#findWrong(tape, run, taken, computed, kept);
      if (wrong === undefined) return true;
      console.warn(`nearside: ${wrong} is another when a recorded run is repeated; such runs are not recorded`);
      return false;
    };
    await this.#watch(() => this.#tapes.learn(kind, record, isRight));
  }

  close(): void {
    this.#tapes.close();
  }

  /** The first of what a tape gives that differs from what the plan gave. */
  async #findWrong(tape: Tape, run: TapedRun, taken: Taken, computed: Tensors, kept: readonly TfjsTensor[]) {
    const keptByTape: TfjsTensor[] = [];
    try {
      const replayed = await this.#replay(tape, run, taken, keptByTape);
      const wrong = run.outputs.find((name) => !isSame(replayed[name]?.data, computed[name]?.data));
      if (wrong !== undefined) return `output "${wrong}"`;
      for (const [index, value] of kept.entries()) {
        if (!isSame(await keptByTape[index]?.data(), await value.data())) return `state "${run.state.outputs[index]}"`;
      }
      return undefined;
    } finally {
      dispose(keptByTape);
    }
  }

  #runOn({ given, results }: Taken): UnknownRun {
    return (tensors) => {
      const feeds = new Map([...given.keys()].map((node, index) => [node, tensors[index] as TensorInfo])); // one for each
      return finishNow(this.#graph.run(feeds, results));
    };
  }

  async #replay(
    tape: Tape,
    { outputs, state }: TapedRun,
    { given, results }: Taken,
    kept: TfjsTensor[],
  ): Promise<Tensors> {
    const values = [...given.values()].map((value) =>
      "data" in value ? value.data : this.#ahead.bufferOf(value.held),
    );
    const buffers = new Map<number, GPUBuffer>();
    const before = kept.length;
    for (const node of state.outputs) kept.push(this.#keep(tape, results.indexOf(node), buffers));
    const told = await tape.run(values, buffers).catch((error: unknown) => {
      dispose(kept.splice(before));
      throw error;
    });
    const nodes = results.filter((_, index) => !buffers.has(index));
    return Object.fromEntries(
      outputs.map((name) => {
        const value = told[nodes.indexOf(this.#manifest.outputNames[name] as string)] as TapeValue; // see #take
        const { dtype } = this.#manifest.signature.outputs[name] as TensorSpec; // checkOutputs saw to it
        return [name, toTensor(value.data, value.shape, dtype as "float32")]; // a tape has no strings
      }),
    );
  }

  /** A tensor for what a tape gives at this place: known already, or to be put into its buffer, which is noted. */
  #keep(tape: Tape, place: number, buffers: Map<number, GPUBuffer>): TfjsTensor {
    const output = tape.outputs[place] as TapeOutput; // an output for each result
    if ("constant" in output) return tensor(output.constant.slice(), [...output.shape]);
    const info = this.#ahead.allocate(output);
    buffers.set(place, this.#ahead.bufferOf(info));
    return engine().makeTensorFromTensorInfo(info);
  }

  /** What goes in and out of a tape for such a run; undefined where none can be for it. */
  #take({ inputs, outputs, state }: TapedRun): Taken | undefined {
    const { inputNames, outputNames, signature, state: variables } = this.#manifest;
    const given = new Map<string, Given>();
    for (const [name, tensor] of Object.entries(inputs)) {
      const { node } = parseRef(inputNames[name] as string); // checkInputs saw to it
      if ("dataId" in tensor) {
        given.set(node, { held: tensor, shape: tensor.shape, dtype: "float32" }); // an image
        continue;
      }
      const numbers = toDeviceNumbers(tensor, `input "${name}"`);
      if (numbers === undefined) return undefined;
      given.set(node, { ...numbers, shape: tensor.shape });
    }
    for (const [node, held] of state.feeds) {
      const { shape, dtype } = held;
      if (dtype === "string" || dtype === "complex64") return undefined;
      given.set(node, { held, shape, dtype });
    }
    const told = outputs.map((name) => outputNames[name] as string); // checkOutputs saw to it
    if (state.outputs.some((node, at) => told.includes(node) || state.outputs.indexOf(node) < at)) return undefined;
    // In the same order whether a value is told or kept, given or held, so that one tape serves them all.
    const nodes = Object.keys(signature.inputs).map((name) => parseRef(inputNames[name] as string).node);
    const ordered = new Map([...new Set([...nodes, ...given.keys()])].map((node) => [node, given.get(node) as Given]));
    const all = [...Object.values(outputNames), ...variables.map(({ output }) => output)];
    const results = [...new Set(all)].filter((node) => told.includes(node) || state.outputs.includes(node));
    const kind = JSON.stringify([[...ordered.values()].map(({ shape }) => shape), results]);
    return { kind, given: ordered, results };
  }
}

/** The elements of a tensor, or the tensor that holds them on the device. */
type Given = TapeInput & (DeviceNumbers | { readonly held: TfjsTensor });

interface Taken {
  /** What runs have in common that a tape can be for: their dtypes are the signature's. */
  readonly kind: string;
  /** By their nodes. */
  readonly given: ReadonlyMap<string, Given>;
  /** The nodes whose outputs are told or kept. */
  readonly results: readonly string[];
}

/** Same elements, bit by bit: a NaN is like itself, 0 is not −0. */
function isSame(a: unknown, b: unknown): boolean {
  const [left, right] = [bytesOf(a), bytesOf(b)];
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

function bytesOf(data: unknown): Uint8Array {
  const { buffer, byteOffset, byteLength } = data as Uint8Array; // of numbers, as all that a tape gives
  return new Uint8Array(buffer, byteOffset, byteLength);
}
