import {
  type AnyModel,
  abortable,
  checkInputs,
  checkOutputs,
  InferenceError,
  type InputsOf,
  type ModelTypes,
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
  withoutImages,
} from "@nearside/core";
import { batchKey, isBatchable } from "./batch-key.ts";
import { BatchQueue, type QueuedRun } from "./batch-queue.ts";
import { type BatchingOptions, type BatchLimits, batchLimits } from "./batching-options.ts";
import { runBatch } from "./run-batch.ts";
import { runInParts } from "./run-in-parts.ts";

/**
 * A session that runs several runs as one batch: those of the same row shapes and outputs, so that an odd one fails
 * alone. A run whose queue is full rejects with `unavailable` at once; one that is aborted leaves the queue. A model
 * that can't be batched (a first dimension is fixed, or it keeps state) is returned as it is. Throws `invalid-argument`
 * for options that don't fit together.
 */
export function withBatching<M extends ModelTypes = AnyModel>(
  session: Session<M>,
  options: BatchingOptions = {},
): Session<M> {
  const limits = batchLimits(options);
  return isBatchable(session) ? new BatchingSession(session, limits, options) : session;
}

class BatchingSession<M extends ModelTypes> implements Session<M> {
  readonly model: string;
  readonly signature: Session["signature"];
  readonly location: Session["location"];
  readonly keepsState: boolean;
  readonly #session: Session<M>;
  readonly #limits: BatchLimits;
  readonly #tell: NonNullable<BatchingOptions["onEvent"]>;
  readonly #onEnqueue: NonNullable<BatchingOptions["onEnqueue"]>;
  readonly #queue: BatchQueue;
  readonly #runs: RunsInFlight;
  readonly #place = plainPlace(this as unknown as Session); // the runs of a batch have each a state of their own
  #batchesRunning = 0;
  #isClosing = false;
  /** Outputs turned out to have other rows than inputs: each run goes alone from then on. */
  #goesAlone = false;
  #gathering: NodeJS.Immediate | undefined;
  #waiting: NodeJS.Timeout | undefined;

  constructor(
    session: Session<M>,
    limits: BatchLimits,
    { onEvent = () => {}, onEnqueue = () => undefined }: Pick<BatchingOptions, "onEvent" | "onEnqueue">,
  ) {
    this.model = session.model;
    this.signature = session.signature;
    this.location = session.location;
    this.keepsState = session.keepsState;
    this.#session = session;
    this.#limits = limits;
    this.#tell = onEvent;
    this.#onEnqueue = onEnqueue;
    this.#queue = new BatchQueue(limits);
    this.#runs = new RunsInFlight(session.model);
  }

  get backend() {
    return this.#session.backend; // a session that recovers may change it
  }

  async run(inputs: InputsOf<M>, options: RunOptions = {}): Promise<M["outputs"]> {
    this.#runs.throwIfClosed();
    options.signal?.throwIfAborted();
    if (options.state) return (await options.state.run(this.#place, inputs, options)) as M["outputs"]; // as below
    checkInputs(this.signature, inputs);
    if (options.outputs) checkOutputs(this.signature, options.outputs);
    const outputs = await this.#runs.add(this.#run(withoutImages(inputs), options));
    return outputs as M["outputs"]; // rows of what the session answers
  }

  stream<T>(items: StreamItems<T>, options?: StreamOptions<M, T>): AsyncGenerator<StreamStep<M, T>, void> {
    return stream(this, items, options);
  }

  async memory(): Promise<SessionMemory> {
    this.#runs.throwIfClosed();
    return this.#session.memory();
  }

  close(): Promise<void> {
    const closed = this.#runs.close(() => this.#session.close());
    this.#isClosing = true;
    this.#runReady();
    return closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run(inputs: Tensors, options: RunOptions): Promise<Tensors> {
    const { batchRows, queueRows, splits } = this.#limits;
    const rows = rowsOf(inputs);
    if (rows <= batchRows) return this.#enqueue(inputs, rows, options);
    const limit = splits ? queueRows : batchRows;
    if (rows <= limit) return runInParts(inputs, rows, options, batchRows, this.#enqueue.bind(this));
    const way = splits ? "" : ", or let the server split them (enable_large_batch_splitting)";
    const message = `inputs: expected at most ${limit} rows, got ${rows}; send them in several runs${way}`;
    throw new InferenceError("invalid-argument", message);
  }

  async #enqueue(inputs: Tensors, rows: number, { outputs, signal, priority = 0 }: RunOptions): Promise<Tensors> {
    const { promise, resolve, reject } = withResolvers<Tensors>();
    const key = batchKey(this.signature, inputs, outputs, this.#limits);
    const run: QueuedRun = {
      key,
      inputs,
      outputs,
      rows,
      priority,
      sinceMs: performance.now(),
      signal,
      onBegin: this.#onEnqueue(),
      resolve,
      reject,
    };
    this.#queue.add(run);
    this.#tell({ type: "queue", rows: this.#queue.rows });
    if (rows >= this.#limits.batchRows || this.#queue.rows >= this.#limits.batchRows) this.#runReady();
    else this.#gathering ??= setImmediate(() => this.#runReady()); // with what else has arrived by then
    return abortable(promise, signal, () => {
      this.#queue.remove(run);
      run.onAbort?.();
      this.#tell({ type: "queue", rows: this.#queue.rows });
    });
  }

  /** Begins as many batches as can run, and waits for the next to be ready. */
  #runReady(): void {
    clearImmediate(this.#gathering);
    clearTimeout(this.#waiting);
    this.#gathering = undefined;
    while (this.#batchesRunning < this.#limits.concurrency) {
      const maxRuns = this.#goesAlone ? 1 : Number.POSITIVE_INFINITY;
      const runs = this.#queue.takeBatch(performance.now(), { flush: this.#isClosing, maxRuns });
      if (!runs) break;
      this.#tell({ type: "queue", rows: this.#queue.rows });
      void this.#runBatch(runs);
    }
    const readyMs = this.#queue.nextReadyMs();
    if (readyMs === undefined || this.#batchesRunning === this.#limits.concurrency) return;
    this.#waiting = setTimeout(() => this.#runReady(), Math.max(0, readyMs - performance.now()));
  }

  async #runBatch(runs: readonly QueuedRun[]): Promise<void> {
    this.#batchesRunning++;
    const sizes = this.#goesAlone ? [] : this.#limits.allowedBatchSizes;
    const { hasRows } = await runBatch(this.#session as Session, runs, sizes, this.#tell);
    this.#goesAlone ||= !hasRows;
    this.#batchesRunning--;
    this.#runReady();
  }
}

/** How many rows a run has. Throws `invalid-argument` if its inputs disagree. */
function rowsOf(inputs: Tensors): number {
  const [[firstName, first], ...others] = Object.entries(inputs) as [[string, Tensors[string]]]; // a batchable model has inputs
  const rows = first.shape[0] as number; // and each has a first dimension
  for (const [name, { shape }] of others as [string, Tensors[string]][]) {
    if (shape[0] === rows) continue;
    const message = `input "${name}": expected ${rows} rows, as input "${firstName}" has, got ${shape[0]}`;
    throw new InferenceError("invalid-argument", `${message}; a batch has the same in each`);
  }
  return rows;
}

/** `Promise.withResolvers`, which Node 20 lacks. */
function withResolvers<T>() {
  let settle: { resolve: (value: T) => void; reject: (reason: unknown) => void } | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...(settle as NonNullable<typeof settle>) }; // the promise called it
}
