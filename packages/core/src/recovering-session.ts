import { abortable } from "./abortable.ts";
import { InferenceError } from "./errors.ts";
import { listReasons, type Opened, type Opener, openFirst, type SessionEvent } from "./open-first.ts";
import { RunsInFlight } from "./runs-in-flight.ts";
import type { AnyModel, InputsOf, ModelTypes, RunOptions, Session, SessionMemory } from "./session.ts";
import { type StreamItems, type StreamOptions, type StreamStep, stream } from "./stream.ts";

export interface RecoveryOptions {
  /** Ends the first opening early: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: SessionEvent) => void) | undefined;
}

/**
 * Opens a session in the first of these ways that works here, and again when it is lost. A run that is interrupted,
 * because its device or worker is gone or out of memory, is run again, and its caller gets the result. What is lost
 * again too soon is opened in the next way. Where none is left the runs reject with the loss, and the next run begins
 * with the first way.
 *
 * Two kinds of runs reject with the loss instead of being run again: those of a model that keeps state, which is gone
 * with its device, so that the next run begins with the values that it was saved with, unless they have a state of their
 * own (`RunState`); and those whose inputs were handed over.
 *
 * Rejects with `no-backend` if none of the ways works here, and with the first error that is no matter of the place.
 */
export async function openWithRecovery<M extends ModelTypes = AnyModel>(
  model: string,
  openers: readonly Opener<M>[],
  { signal, onEvent = () => {} }: RecoveryOptions = {},
): Promise<Session<M>> {
  const tell: Tell = (event) => void Promise.resolve(event).then(onEvent); // what it throws is no failure of ours
  const isRefusal = ({ code }: InferenceError) => code === "no-backend" || isLossCode(code);
  const opened = await openFirst(openers, { from: 0, signal, tell, isRefusal });
  if (!("refusals" in opened)) return new RecoveringSession(model, openers, opened, tell);
  const message = `no backend here can run ${model}: ${listReasons(opened)}; give it a fallback server`;
  throw new InferenceError("no-backend", message, { cause: new AggregateError(opened.refusals) });
}

/** What is lost again before it has done so many runs is opened in the next way. */
const provingRuns = 10;

type Tell = (event: SessionEvent) => void;

/** How the session that is open does, or did until it was lost. */
interface Current<M extends ModelTypes> extends Opened<M> {
  /** It was lost before, and opened in the same way. */
  readonly isReopened: boolean;
  runsDone: number;
}

class RecoveringSession<M extends ModelTypes> implements Session<M> {
  readonly model: string;
  readonly #openers: readonly Opener<M>[];
  readonly #tell: Tell;
  readonly #runs: RunsInFlight;
  readonly #closing = new AbortController();
  #current: Current<M>;
  /** Why it is lost; undefined while it is open. */
  #loss: InferenceError | undefined;
  #reopening: Promise<void> | undefined;

  constructor(model: string, openers: readonly Opener<M>[], opened: Opened<M>, tell: Tell) {
    this.model = model;
    this.#openers = openers;
    this.#current = { ...opened, isReopened: false, runsDone: 0 };
    this.#tell = tell;
    this.#runs = new RunsInFlight(model);
  }

  get signature() {
    return this.#current.session.signature;
  }

  get backend() {
    return this.#current.session.backend;
  }

  get location() {
    return this.#current.session.location;
  }

  get keepsState() {
    return this.#current.session.keepsState;
  }

  async run(inputs: InputsOf<M>, options: RunOptions = {}): Promise<M["outputs"]> {
    this.#runs.throwIfClosed();
    return this.#runs.add(this.#run(inputs, options));
  }

  stream<T>(items: StreamItems<T>, options?: StreamOptions<M, T>): AsyncGenerator<StreamStep<M, T>, void> {
    return stream(this, items, options);
  }

  async memory(): Promise<SessionMemory> {
    this.#runs.throwIfClosed();
    await this.#reopening;
    if (this.#loss) throw this.#loss;
    return this.#current.session.memory();
  }

  close(): Promise<void> {
    return this.#runs.close(async () => {
      this.#closing.abort(new InferenceError("closed", `session "${this.model}" is closed`));
      await this.#reopening?.catch(() => {}); // no run waits for it any more
      await this.#current.session.close();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run(inputs: InputsOf<M>, options: RunOptions): Promise<M["outputs"]> {
    for (let losses = 1; ; losses++) {
      while (this.#loss) await abortable(this.#reopen(this.#loss), options.signal);
      const current = this.#current;
      try {
        const outputs = await current.session.run(inputs, options);
        current.runsDone++;
        return outputs;
      } catch (error) {
        if (!isLoss(error, current.session)) throw error;
        this.#lose(current, error);
        const reason = whyNotAgain(current.session, options);
        if (reason) throw new InferenceError(error.code, `${error.message}; ${reason}`, { cause: error });
        // It may be this very run that breaks what it is run on, while others do well there.
        if (losses > 2 * this.#openers.length) throw error;
      }
    }
  }

  #lose(lost: Current<M>, error: InferenceError): void {
    if (this.#loss || lost !== this.#current) return; // another run saw it first
    this.#loss = error;
    const { backend, location } = lost.session;
    this.#tell({ type: "lost", backend, location, error });
  }

  /** Opens another session in the place of the lost one: one for all the runs that wait. */
  #reopen(loss: InferenceError): Promise<void> {
    this.#reopening ??= this.#openAgain(loss).finally(() => {
      this.#reopening = undefined;
    });
    return this.#reopening;
  }

  async #openAgain(loss: InferenceError): Promise<void> {
    const { session, way, isReopened, runsDone } = this.#current;
    await session.close().catch(() => {}); // it is gone already; this frees what is left
    const { signal } = this.#closing;
    const from = isReopened && runsDone < provingRuns ? way + 1 : way;
    const opened = await openFirst(this.#openers, { from, signal, tell: this.#tell, isRefusal: () => true });
    if ("refusals" in opened) {
      this.#current = { session, way: 0, isReopened: false, runsDone: 0 }; // where the next run begins
      const message = `${loss.message}; nothing could take its place: ${listReasons(opened)}`;
      throw new InferenceError(loss.code, message, { cause: new AggregateError(opened.refusals) });
    }
    this.#current = { ...opened, isReopened: opened.way === way, runsDone: 0 };
    this.#loss = undefined;
  }
}

/** A session that lacks memory for one run still has what its model keeps, which opening it again would lose. */
function isLoss(error: unknown, { keepsState }: Pick<Session, "keepsState">): error is InferenceError {
  return error instanceof InferenceError && isLossCode(error.code) && !(keepsState && error.code === "out-of-memory");
}

function isLossCode(code: InferenceError["code"]): boolean {
  return code === "device-lost" || code === "out-of-memory";
}

/** Why a run that was interrupted can't be run again; undefined if it can. */
function whyNotAgain({ keepsState }: Pick<Session, "keepsState">, { transfer, state }: RunOptions): string | undefined {
  if (keepsState && !state)
    return "what the model kept is gone, and its next run begins with the values it was saved with";
  if (transfer) return "the inputs were handed over, so they can't be run on again; run with new ones";
  return undefined;
}
