import { InferenceError } from "./errors.ts";

/** The runs of a session that aren't over, so that closing waits for them and none begins after it. */
export class RunsInFlight {
  readonly #model: string;
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  /** `model` is what messages call the session. */
  constructor(model: string) {
    this.#model = model;
  }

  /** Throws `closed` once the session is closing. */
  throwIfClosed(): void {
    if (this.#closing) throw new InferenceError("closed", `session "${this.#model}" is closed; open it again`);
  }

  /** Counts a run until it is over, and gives it back. */
  add<T>(run: Promise<T>): Promise<T> {
    this.#running.add(run);
    const forget = () => this.#running.delete(run);
    run.then(forget, forget);
    return run;
  }

  /** Calls `free` once the runs are over. Called again, it gives the same promise and frees nothing twice. */
  close(free: () => void | Promise<void>): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#running).then(free);
    return this.#closing;
  }
}
