import {
  type AnyModel,
  abortable,
  InferenceError,
  type RunOptions,
  RunsInFlight,
  type Session,
  type SessionMemory,
  type StreamItems,
  type StreamOptions,
  type StreamStep,
  stream,
  type Tensors,
  toInferenceError,
} from "@nearside/core";

/** A session that may die, and word of it. */
export interface Mortal {
  readonly session: Session;
  /** Resolves with what it died of. */
  readonly death: Promise<InferenceError>;
  /** The number of the process that it lives in, where it has one. */
  readonly pid?: number | undefined;
}

export interface SuperviseOptions {
  /** How long to wait before it is opened again for the second time; each further time twice as long. */
  readonly firstDelayMs?: number;
  readonly maxDelayMs?: number;
  /** Told when it died, and when it is open again. */
  readonly onEvent?: (event: SupervisionEvent) => void;
}

export type SupervisionEvent =
  | { readonly type: "lost"; readonly error: InferenceError }
  | { readonly type: "restarted"; readonly afterMs: number };

/** What has done so many runs since it was opened is taken to be well: when it dies, it is opened again at once. */
const provingRuns = 10;

/**
 * A session that is opened again when it has died: at once for the first time, then after longer and longer delays until
 * it does well. Runs that were in flight reject with what it died of, and are not run again: one of them may have killed
 * it. Runs that come while it is being opened wait for it; those that come in a delay reject with `unavailable`.
 */
export async function superviseSession(
  open: (signal?: AbortSignal) => Promise<Mortal>,
  { signal, ...options }: SuperviseOptions & { readonly signal?: AbortSignal } = {},
): Promise<SupervisedSession> {
  return new SupervisedSession(await open(signal), open, options);
}

export class SupervisedSession implements Session {
  readonly model: string;
  readonly signature: Session["signature"];
  readonly backend: Session["backend"];
  readonly location: Session["location"];
  readonly keepsState: boolean;
  readonly #open: (signal?: AbortSignal) => Promise<Mortal>;
  readonly #options: Required<SuperviseOptions>;
  readonly #runs: RunsInFlight;
  readonly #closing = new AbortController();
  #current: Session;
  /** Until it is open again; rejects if this attempt fails. */
  #opening: Promise<Session> | undefined;
  /** Why it can't run now, in a delay. */
  #loss: InferenceError | undefined;
  #delay: NodeJS.Timeout | undefined;
  #attempts = 0;
  #runsDone = 0;

  constructor(
    { session, death }: Mortal,
    open: (signal?: AbortSignal) => Promise<Mortal>,
    { firstDelayMs = 100, maxDelayMs = 30_000, onEvent = () => {} }: SuperviseOptions,
  ) {
    this.model = session.model;
    this.signature = session.signature;
    this.backend = session.backend;
    this.location = session.location;
    this.keepsState = session.keepsState;
    this.#open = open;
    this.#options = { firstDelayMs, maxDelayMs, onEvent };
    this.#runs = new RunsInFlight(session.model);
    this.#current = session;
    void death.then((error) => this.#restart(error));
  }

  /** Whether it can run at once. */
  get isReady(): boolean {
    return !this.#opening && !this.#loss;
  }

  async run(inputs: Tensors, options: RunOptions = {}): Promise<Tensors> {
    this.#runs.throwIfClosed();
    return this.#runs.add(this.#run(inputs, options));
  }

  stream<T>(
    items: StreamItems<T>,
    options?: StreamOptions<AnyModel, T>,
  ): AsyncGenerator<StreamStep<AnyModel, T>, void> {
    return stream(this, items, options);
  }

  async memory(): Promise<SessionMemory> {
    this.#runs.throwIfClosed();
    return (await this.#ready()).memory();
  }

  close(): Promise<void> {
    return this.#runs.close(async () => {
      this.#closing.abort(new InferenceError("closed", `session "${this.model}" is closed`));
      clearTimeout(this.#delay);
      await this.#opening?.catch(() => {}); // no run waits for it any more
      await this.#current.close();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run(inputs: Tensors, options: RunOptions): Promise<Tensors> {
    const outputs = await (await this.#ready(options.signal)).run(inputs, options);
    this.#runsDone++;
    if (this.#runsDone === provingRuns) this.#attempts = 0;
    return outputs;
  }

  async #ready(signal?: AbortSignal): Promise<Session> {
    if (this.#loss) throw this.#loss;
    return this.#opening ? abortable(this.#opening, signal) : this.#current;
  }

  /** Opens another session in the place of one that is dead, now or after a delay. */
  #restart(error: InferenceError): void {
    if (this.#closing.signal.aborted) return;
    const { firstDelayMs, maxDelayMs, onEvent } = this.#options;
    onEvent({ type: "lost", error });
    const sinceMs = performance.now();
    const delayMs = this.#attempts === 0 ? 0 : Math.min(maxDelayMs, firstDelayMs * 2 ** (this.#attempts - 1));
    this.#attempts++;
    const open = () => {
      this.#loss = undefined;
      this.#opening = this.#openAgain(sinceMs);
      this.#opening.catch((cause: unknown) => this.#restart(toInferenceError(cause)));
    };
    if (delayMs === 0) {
      open();
      return;
    }
    const message = `${error.message}; it starts again in ${Math.ceil(delayMs / 1000)} s: try again then`;
    this.#loss = new InferenceError("unavailable", message, { cause: error });
    this.#opening = undefined;
    this.#delay = setTimeout(open, delayMs);
  }

  async #openAgain(sinceMs: number): Promise<Session> {
    await this.#current.close().catch(() => {}); // it is dead already; this frees what is left
    const { session, death } = await this.#open(this.#closing.signal).catch((cause: unknown) => {
      const { message } = toInferenceError(cause);
      throw new InferenceError("unavailable", `session "${this.model}" could not be restarted: ${message}`, { cause });
    });
    this.#current = session;
    this.#opening = undefined;
    this.#runsDone = 0;
    void death.then((error) => this.#restart(error));
    this.#options.onEvent({ type: "restarted", afterMs: performance.now() - sinceMs });
    return session;
  }
}
