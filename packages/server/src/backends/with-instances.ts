import {
  type AnyModel,
  plainPlace,
  type RunOptions,
  RunsInFlight,
  type Session,
  type SessionMemory,
  type StreamItems,
  type StreamOptions,
  type StreamStep,
  stream,
  type Tensors,
} from "@nearside/core";

/** A session of several that are the same, and whether it can run at once. */
export interface Instance extends Session {
  readonly isReady: boolean;
}

/** One session over several of the same model: each run goes to the ready one that has the fewest. There is at least one. */
export function withInstances(instances: readonly [Instance, ...Instance[]]): Session {
  return instances.length === 1 ? instances[0] : new InstancesSession(instances);
}

class InstancesSession implements Session {
  readonly #instances: readonly { readonly session: Instance; runs: number }[];
  readonly #first: Instance;
  readonly #runs: RunsInFlight;
  readonly #place = plainPlace(this); // each run may go to another instance

  constructor(instances: readonly [Instance, ...Instance[]]) {
    this.#first = instances[0];
    this.#instances = instances.map((session) => ({ session, runs: 0 }));
    this.#runs = new RunsInFlight(this.#first.model);
  }

  get model() {
    return this.#first.model;
  }

  get signature() {
    return this.#first.signature;
  }

  get backend() {
    return this.#first.backend;
  }

  get location() {
    return this.#first.location;
  }

  get keepsState() {
    return this.#first.keepsState;
  }

  async run(inputs: Tensors, options?: RunOptions): Promise<Tensors> {
    this.#runs.throwIfClosed();
    if (options?.state) return options.state.run(this.#place, inputs, options);
    return this.#runs.add(this.#run(inputs, options));
  }

  stream<T>(
    items: StreamItems<T>,
    options?: StreamOptions<AnyModel, T>,
  ): AsyncGenerator<StreamStep<AnyModel, T>, void> {
    return stream(this, items, options);
  }

  /** What all of them hold together. */
  async memory(): Promise<SessionMemory> {
    this.#runs.throwIfClosed();
    const all = await Promise.all(this.#instances.map(({ session }) => session.memory()));
    const sum = (key: keyof SessionMemory) => all.reduce((total, each) => total + each[key], 0);
    return { deviceBytes: sum("deviceBytes"), tensors: sum("tensors") };
  }

  close(): Promise<void> {
    return this.#runs.close(async () => {
      await Promise.all(this.#instances.map(({ session }) => session.close()));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run(inputs: Tensors, options?: RunOptions): Promise<Tensors> {
    const ready = this.#instances.filter(({ session }) => session.isReady);
    const candidates = ready.length > 0 ? ready : this.#instances;
    const least = candidates.reduce((best, each) => (each.runs < best.runs ? each : best));
    least.runs++;
    try {
      return await least.session.run(inputs, options);
    } finally {
      least.runs--;
    }
  }
}
