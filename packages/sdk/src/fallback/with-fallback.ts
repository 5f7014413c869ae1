import {
  type AnyModel,
  InferenceError,
  type InputsOf,
  type ModelTypes,
  type Opener,
  type RunOptions,
  RunsInFlight,
  type Session,
  type SessionEvent,
  type SessionMemory,
  type StreamItems,
  type StreamOptions,
  type StreamStep,
  stream,
  toInferenceError,
} from "@nearside/core";
import { type Wait, waitFor } from "../wait-for.ts";
import { checkSameSignature } from "./check-same-signature.ts";
import { Side, type SideOutcome } from "./side.ts";

/** When the other side is used. Whatever is set here, it is where a side can't be opened or fails. */
export interface FallbackPolicy {
  /**
   * A run that takes longer begins on the other side, too, and whichever result comes first counts; a side over it three
   * times in a row is left for a while. Milliseconds; without it, a side may take as long as it likes.
   */
  readonly latencyBudgetMs?: number;
}

export interface FallbackOptions extends FallbackPolicy {
  /** Ends the opening early: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Hears when a side is opened or refused, and when runs move to the other one. */
  readonly onEvent?: ((event: SessionEvent) => void) | undefined;
  /** The time, and how to wait, for tests that do neither. */
  readonly now?: () => number;
  readonly wait?: Wait;
}

/**
 * A session over two: `near`, and `far` for when that can't be opened, fails, or is too slow. Each is a session, or a way
 * to open one, which is used when it is needed first. A side that failed is left alone, for one second, two, four, up to
 * a minute, or for as long as it asked for (`Retry-After`), and then tried by one run. Runs belong near: they return as
 * soon as that works, and also when the far side fails.
 *
 * A run that failed on one side is run on the other, unless its inputs were handed over (`transfer`), the model keeps
 * state, or the fault is in the inputs; with a state (`RunState`), from where that was. Rejects with what the far side said if neither can be opened.
 */
export async function withFallback<M extends ModelTypes = AnyModel>(
  near: Session<M> | Opener<M>,
  far: Session<M> | Opener<M>,
  options: FallbackOptions = {},
): Promise<Session<M>> {
  const { latencyBudgetMs, signal, onEvent = () => {}, now = () => performance.now(), wait = waitFor } = options;
  const tell: Tell = (event) => void Promise.resolve(event).then(onEvent); // what it throws is no failure of ours
  const check = (session: Session<M>) => {
    const other = sides.near.session ?? sides.far.session;
    if (other) checkSameSignature(other, session);
  };
  const sides: Sides<M> = { near: new Side(openerOf(near), now, check), far: new Side(openerOf(far), now, check) };
  const first = await openEither(sides, signal, tell);
  return new FallbackSession(sides, first, { latencyBudgetMs, wait, tell });
}

function openerOf<M extends ModelTypes>(side: Session<M> | Opener<M>): Opener<M> {
  return typeof side === "function" ? side : async () => side;
}

type Tell = (event: SessionEvent) => void;

interface Sides<M extends ModelTypes> {
  readonly near: Side<M>;
  readonly far: Side<M>;
}

/** Opens the near side, else the far one, and returns it. */
async function openEither<M extends ModelTypes>(
  { near, far }: Sides<M>,
  signal: AbortSignal | undefined,
  tell: Tell,
): Promise<Side<M>> {
  const errors: InferenceError[] = [];
  for (const side of [near, far]) {
    try {
      await side.open(signal);
      return side;
    } catch (thrown) {
      signal?.throwIfAborted();
      const error = toInferenceError(thrown);
      side.fail(error);
      tell({ type: "refused", error });
      errors.push(error);
    }
  }
  throw oneOf(errors);
}

/** One error that tells of all: `unavailable` if one of them is, since that may pass, else like the last. */
function oneOf(errors: readonly InferenceError[]): InferenceError {
  const last = errors.at(-1) as InferenceError; // there is at least one
  if (errors.length === 1) return last;
  const { code, retryAfterMs } = errors.find((error) => error.code === "unavailable") ?? last;
  const message = errors.map((error) => error.message).join("; and: ");
  return new InferenceError(code, message, { cause: new AggregateError(errors), retryAfterMs });
}

interface Behaviour {
  readonly latencyBudgetMs: number | undefined;
  readonly wait: Wait;
  readonly tell: Tell;
}

class FallbackSession<M extends ModelTypes> implements Session<M> {
  readonly #near: Side<M>;
  readonly #far: Side<M>;
  readonly #behaviour: Behaviour;
  readonly #closing = new AbortController();
  readonly #runs: RunsInFlight;
  /** The side that gave the last result, or was opened first. */
  #current: Side<M>;

  constructor({ near, far }: Sides<M>, current: Side<M>, behaviour: Behaviour) {
    this.#near = near;
    this.#far = far;
    this.#current = current;
    this.#behaviour = behaviour;
    this.#runs = new RunsInFlight(this.model);
  }

  get #session(): Session<M> {
    return this.#current.session as Session<M>; // it is open, or would not be current
  }

  get model() {
    return this.#session.model;
  }

  get signature() {
    return this.#session.signature;
  }

  get backend() {
    return this.#session.backend;
  }

  get location() {
    return this.#session.location;
  }

  get keepsState() {
    return this.#session.keepsState;
  }

  async run(inputs: InputsOf<M>, options: RunOptions = {}): Promise<M["outputs"]> {
    this.#runs.throwIfClosed();
    options.signal?.throwIfAborted();
    // What the model keeps is on one side alone.
    return this.#runs.add(this.keepsState ? this.#session.run(inputs, options) : this.#run(inputs, options));
  }

  stream<T>(items: StreamItems<T>, options?: StreamOptions<M, T>): AsyncGenerator<StreamStep<M, T>, void> {
    return stream(this, items, options);
  }

  async memory(): Promise<SessionMemory> {
    this.#runs.throwIfClosed();
    return this.#session.memory();
  }

  close(): Promise<void> {
    return this.#runs.close(async () => {
      this.#closing.abort(new InferenceError("closed", `session "${this.model}" is closed`));
      await Promise.all([this.#near.close(), this.#far.close()]);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run(inputs: InputsOf<M>, options: RunOptions): Promise<M["outputs"]> {
    const over = new AbortController(); // ends what still runs when there is a result
    const signal = options.signal ? AbortSignal.any([options.signal, over.signal]) : over.signal;
    const running = new Map<Side<M>, Promise<SideOutcome<M>>>();
    const late = new Set<Side<M>>();
    const errors: InferenceError[] = [];
    const sides = this.#sidesToTry();
    const startNext = () => {
      const { value: side } = sides.next();
      if (side) running.set(side, side.run(inputs, { ...options, signal }, this.#closing.signal));
      return side !== undefined;
    };
    startNext();
    try {
      for (;;) {
        const outcome = await this.#firstOf(running.values(), late.size < running.size, over.signal);
        if (outcome === "late") {
          for (const side of running.keys()) if (!late.has(side)) this.#beSlow(side, late);
          if (!options.transfer && !options.state) startNext(); // only one of two can hand a state on
          continue;
        }
        const { side } = outcome;
        running.delete(side);
        if ("outputs" in outcome) {
          if (!late.has(side)) side.succeed();
          this.#moveTo(side);
          return outcome.outputs;
        }
        const error = toInferenceError(outcome.error);
        if (options.signal?.aborted || isCallers(error)) {
          side.leave();
          throw options.signal?.aborted ? options.signal.reason : outcome.error;
        }
        this.#fail(side, error);
        errors.push(error);
        const canMove = running.size > 0 || (!options.transfer && startNext());
        if (!canMove) throw oneOf([...errors, ...this.#errorsOfOthers(errors)]);
      }
    } finally {
      for (const side of running.keys()) if (!late.has(side)) side.leave();
      over.abort(new InferenceError("cancelled", "the other side was first"));
    }
  }

  /** The sides that may be asked, near first; at last near all the same, which asks nothing of anybody else. */
  *#sidesToTry(): Generator<Side<M>, undefined> {
    const isNearTried = this.#near.enter();
    if (isNearTried) yield this.#near;
    if (this.#far.enter()) yield this.#far;
    if (!isNearTried) yield this.#near;
  }

  /** The first that ends; or `late`, if there is a budget, and it is used up. */
  async #firstOf(
    running: Iterable<Promise<SideOutcome<M>>>,
    hasBudget: boolean,
    signal: AbortSignal,
  ): Promise<SideOutcome<M> | "late"> {
    const { latencyBudgetMs, wait } = this.#behaviour;
    if (latencyBudgetMs === undefined || !hasBudget) return Promise.race(running);
    const done = new AbortController();
    const late = wait(latencyBudgetMs, AbortSignal.any([signal, done.signal])).then(
      () => "late" as const,
      () => new Promise<never>(() => {}), // nobody waits for it any more
    );
    try {
      return await Promise.race([...running, late]);
    } finally {
      done.abort();
    }
  }

  /** Why a side was left before, and not asked now. */
  #errorsOfOthers(errors: readonly InferenceError[]): readonly InferenceError[] {
    return [this.#near, this.#far].flatMap(({ error }) => (error && !errors.includes(error) ? [error] : []));
  }

  #beSlow(side: Side<M>, late: Set<Side<M>>): void {
    late.add(side);
    side.beSlow(this.#behaviour.latencyBudgetMs as number); // there is one, or nothing would be late
  }

  #fail(side: Side<M>, error: InferenceError): void {
    side.fail(error);
    if (!side.session) this.#behaviour.tell({ type: "refused", error });
  }

  #moveTo(side: Side<M>): void {
    const left = this.#current;
    if (left === side) return;
    this.#current = side;
    const { backend, location } = this.#session;
    this.#behaviour.tell({ type: "moved", backend, location, error: left.error ?? null });
  }
}

/** Whether an error is the caller's, and would be the same on the other side. */
function isCallers({ code }: InferenceError): boolean {
  return code === "invalid-argument" || code === "cancelled" || code === "closed";
}
