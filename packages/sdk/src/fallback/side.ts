import {
  abortable,
  InferenceError,
  type InputsOf,
  type ModelTypes,
  type Opener,
  type RunOptions,
  type Session,
} from "@nearside/core";
import { Circuit } from "./circuit.ts";

/** So many runs in a row over the budget, and a side counts as too slow. */
const maxSlowRuns = 3;

/** How a run on a side ended. */
export type SideOutcome<M extends ModelTypes> = { readonly side: Side<M> } & (
  | { readonly outputs: M["outputs"] }
  | { readonly error: unknown }
);

/** One of the two places of a session that falls back: how it is opened, and how it has done. */
export class Side<M extends ModelTypes> {
  readonly #circuit: Circuit;
  readonly #open: Opener<M>;
  readonly #onOpen: (session: Session<M>) => void;
  #opening: Promise<Session<M>> | undefined;
  #session: Session<M> | undefined;
  #slowRuns = 0;
  #error: InferenceError | undefined;

  /** `onOpen` may refuse a session by throwing. */
  constructor(open: Opener<M>, now: () => number, onOpen: (session: Session<M>) => void) {
    this.#open = open;
    this.#circuit = new Circuit(now);
    this.#onOpen = onOpen;
  }

  /** Undefined until it is open. */
  get session(): Session<M> | undefined {
    return this.#session;
  }

  /** Why it was left last; undefined while all is well. */
  get error(): InferenceError | undefined {
    return this.#error;
  }

  /** True if a run may be tried here now; then it must be. */
  enter(): boolean {
    return this.#circuit.enter();
  }

  /** Opens the session, if it isn't open. */
  open(signal: AbortSignal | undefined): Promise<Session<M>> {
    this.#opening ??= this.#openOnce(signal).catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #openOnce(signal: AbortSignal | undefined): Promise<Session<M>> {
    const session = await this.#open(signal);
    try {
      this.#onOpen(session);
    } catch (error) {
      await session.close();
      throw error;
    }
    this.#session = session;
    return session;
  }

  /** Runs here. Never rejects. */
  async run(inputs: InputsOf<M>, options: RunOptions, closing: AbortSignal): Promise<SideOutcome<M>> {
    try {
      const session = await abortable(this.open(closing), options.signal); // it is opened for all runs, not for this one
      return { side: this, outputs: await session.run(inputs, options) };
    } catch (error) {
      return { side: this, error };
    }
  }

  /** It answered in time. */
  succeed(): void {
    this.#slowRuns = 0;
    this.#error = undefined;
    this.#circuit.succeed();
  }

  /** It failed, and is left alone for a while. */
  fail(error: InferenceError): void {
    this.#error = error;
    this.#circuit.fail(error.retryAfterMs);
  }

  /** A run takes longer than it may; after a few of them that is a failure. */
  beSlow(budgetMs: number): void {
    this.#slowRuns++;
    this.#error = new InferenceError("unavailable", `a run took more than ${budgetMs} ms, ${this.#slowRuns} in a row`);
    if (this.#slowRuns < maxSlowRuns) this.#circuit.leave();
    else this.fail(this.#error);
  }

  /** It was not asked to the end. */
  leave(): void {
    this.#circuit.leave();
  }

  async close(): Promise<void> {
    const session = await this.#opening?.catch(() => undefined); // it failed: whoever opened it heard of it
    await session?.close();
  }
}
