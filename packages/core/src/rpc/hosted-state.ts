import { InferenceError } from "../errors.ts";
import type { RunState, StateNames } from "../run-state.ts";
import type { RunOptions } from "../session.ts";
import type { HeldState, StatePlace } from "../state-place.ts";
import type { Tensor, Tensors } from "../tensor.ts";

/** A state on this side of a port: on the session's device, and nowhere else. Who asked for it can make it anew. */
export class HostedState implements Pick<RunState, "run"> {
  readonly #names: StateNames;
  readonly #initial: readonly Tensor[];
  #held: Promise<HeldState> | undefined;

  constructor(names: StateNames, initial: readonly Tensor[]) {
    this.#names = names;
    this.#initial = initial;
  }

  async run(place: StatePlace, inputs: object, { outputs = [], ...options }: RunOptions): Promise<Tensors> {
    this.#held ??= place.hold(this.#names, this.#initial);
    return (await this.#held).run(inputs as Tensors, { ...options, outputs }); // checked where they come from
  }

  async read(): Promise<readonly Tensor[]> {
    if (!this.#held) throw new InferenceError("failed-precondition", "the state was in no run yet");
    return (await this.#held).read();
  }

  async release(): Promise<void> {
    const held = await this.#held?.catch(() => undefined); // whoever ran with it heard of it
    await held?.release();
  }
}
