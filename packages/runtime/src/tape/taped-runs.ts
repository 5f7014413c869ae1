import type { Manifest, Tensor, TensorSpec, Tensors } from "@nearside/core";
import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { Ahead, LoadedBackend } from "../backends/loaded-backend.ts";
import type { GraphModel } from "../load-graph-model.ts";
import { parseRef } from "../plan/graph-def.ts";
import { finishNow } from "../plan/run-plan.ts";
import { type DeviceNumbers, toDeviceNumbers, toTensor } from "../tfjs-tensor.ts";
import type { ShaderProgress } from "./compile-shaders.ts";
import type { UnknownRun } from "./record-tape.ts";
import type { Tape } from "./tape.ts";
import { Tapes } from "./tapes.ts";

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

  /** Runs by tape; undefined where there is none for such a run. */
  run(inputs: Tensors, outputs: readonly string[]): Promise<Tensors> | undefined {
    const tape = this.#tapes.find(this.#kindOf(inputs, outputs));
    const given = tape && this.#toDevice(inputs);
    return given && this.#replay(tape, given, outputs);
  }

  /** Compiles what such a run needs, and has the first one recorded. */
  async prepare(
    inputs: Tensors,
    outputs: readonly string[],
    onProgress?: (progress: ShaderProgress) => void,
  ): Promise<void> {
    const given = this.#toDevice(inputs);
    if (given === undefined) return;
    await this.#watch(() => this.#ahead.compile([...given.values()], this.#runOn(given, outputs), onProgress));
    this.#tapes.expect(this.#kindOf(inputs, outputs));
  }

  /** Learns from a run without a tape. The tape is kept if, on the same inputs, it gives the same outputs bit by bit. */
  async learn(inputs: Tensors, outputs: readonly string[], computed: Tensors): Promise<void> {
    const kind = this.#kindOf(inputs, outputs);
    if (!this.#tapes.isDue(kind)) {
      this.#tapes.expect(kind); // nothing, unless it is the first of its kind
      return;
    }
    const given = this.#toDevice(inputs);
    if (given === undefined) return;
    const record = () => this.#ahead.record([...given.values()], this.#runOn(given, outputs));
    const isRight = async (tape: Tape) => {
      const replayed = await this.#replay(tape, given, outputs);
      const wrong = outputs.find((name) => !isSame(replayed[name] as Tensor, computed[name] as Tensor)); // both have it
      if (wrong === undefined) return true;
      console.warn(
        `nearside: output "${wrong}" is another when a recorded run is repeated; such runs are not recorded`,
      );
      return false;
    };
    await this.#watch(() => this.#tapes.learn(kind, record, isRight));
  }

  close(): void {
    this.#tapes.close();
  }

  #runOn(given: Given, outputs: readonly string[]): UnknownRun {
    const nodes = outputs.map((name) => this.#manifest.outputNames[name] as string); // checkOutputs saw to it
    return (tensors) => {
      const feeds = new Map([...given.keys()].map((node, index) => [node, tensors[index] as TensorInfo])); // one for each
      return finishNow(this.#graph.run(feeds, nodes));
    };
  }

  async #replay(tape: Tape, given: Given, outputs: readonly string[]): Promise<Tensors> {
    const values = await tape.run([...given.values()].map(({ data }) => data));
    return Object.fromEntries(
      values.map(({ data, shape }, index) => {
        const name = outputs[index] as string; // a value for each
        const { dtype } = this.#manifest.signature.outputs[name] as TensorSpec; // checkOutputs saw to it
        return [name, toTensor(data, shape, dtype as "float32")]; // a tape has no strings
      }),
    );
  }

  /** What runs have in common that a tape can be for: their dtypes are the signature's. */
  #kindOf(inputs: Tensors, outputs: readonly string[]): string {
    const shapes = Object.keys(this.#manifest.signature.inputs).map((name) => inputs[name]?.shape);
    return JSON.stringify([shapes, outputs]);
  }

  /** The inputs by their nodes, in the signature's order; undefined where a tape can't take them. */
  #toDevice(inputs: Tensors): Given | undefined {
    const given: Given = new Map();
    for (const name of Object.keys(this.#manifest.signature.inputs)) {
      const tensor = inputs[name] as Tensor; // checkInputs saw to it
      const numbers = toDeviceNumbers(tensor, `input "${name}"`);
      if (numbers === undefined) return undefined;
      given.set(parseRef(this.#manifest.inputNames[name] as string).node, { ...numbers, shape: tensor.shape });
    }
    return given;
  }
}

type Given = Map<string, DeviceNumbers & Pick<Tensor, "shape">>;

/** Same elements, bit by bit: a NaN is like itself, 0 is not −0. */
function isSame(a: Tensor, b: Tensor): boolean {
  const [left, right] = [bytesOf(a), bytesOf(b)];
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

function bytesOf({ data }: Tensor): Uint8Array {
  const { buffer, byteOffset, byteLength } = data as Uint8Array; // of numbers, as all that a tape gives
  return new Uint8Array(buffer, byteOffset, byteLength);
}
