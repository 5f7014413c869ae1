import { type RunOptions, type Session, stream, type Tensors } from "@nearside/core";

/** How many runs there were, and how long they took together. */
export interface RunDuration {
  readonly count: number;
  readonly nanoseconds: number;
}

/** What a version of a model has run since it was loaded. */
export interface RunStatistics {
  readonly success: RunDuration;
  readonly fail: RunDuration;
  /** What the sessions inside ran, without the wait for a batch. */
  readonly compute: RunDuration;
  /** Instances: the sum of the batch sizes of all runs that succeeded. */
  readonly inferenceCount: number;
  /** When the last one began, in milliseconds since 1970; 0 before the first. */
  readonly lastInferenceMs: number;
}

/** Statistics that are being counted. */
export interface CountedStatistics extends RunStatistics {
  /** Counts a run that a client asked for. */
  count<T>(run: () => Promise<T>, instances: number): Promise<T>;
  /** A session that counts what it computes. */
  countingExecutions(session: Session): Session;
  reset(): void;
}

/** Statistics of nothing yet. */
export function createStatistics(): CountedStatistics {
  const zero = { count: 0, nanoseconds: 0 };
  const add = ({ count, nanoseconds }: RunDuration, startMs: number): RunDuration => {
    return { count: count + 1, nanoseconds: nanoseconds + Math.round((performance.now() - startMs) * 1e6) };
  };
  const counts = { success: zero, fail: zero, compute: zero, inferenceCount: 0, lastInferenceMs: 0 };
  const methods = {
    async count<T>(run: () => Promise<T>, instances: number): Promise<T> {
      const startMs = performance.now();
      statistics.lastInferenceMs = Date.now();
      try {
        const result = await run();
        statistics.success = add(statistics.success, startMs);
        statistics.inferenceCount += instances;
        return result;
      } catch (error) {
        statistics.fail = add(statistics.fail, startMs);
        throw error;
      }
    },
    countingExecutions: (session: Session) =>
      withRun(session, async (inputs, options) => {
        const startMs = performance.now();
        const outputs = await session.run(inputs, options);
        statistics.compute = add(statistics.compute, startMs);
        return outputs;
      }),
    reset: () => void Object.assign(statistics, counts),
  };
  const statistics = { ...counts, ...methods };
  return statistics;
}

/** A session whose runs are counted as a client's. */
export function withStatistics(session: Session, statistics: CountedStatistics): Session {
  return withRun(session, (inputs, options) =>
    statistics.count(() => session.run(inputs, options), instancesOf(inputs)),
  );
}

/** The batch size: the first dimension of the first input, 1 for a scalar or no input. */
function instancesOf(inputs: Tensors): number {
  return Object.values(inputs)[0]?.shape?.[0] ?? 1;
}

/** The session with another `run`. */
function withRun(session: Session, run: (inputs: Tensors, options?: RunOptions) => Promise<Tensors>): Session {
  const counted: Session = {
    model: session.model,
    signature: session.signature,
    backend: session.backend,
    location: session.location,
    keepsState: session.keepsState,
    run,
    stream: (items, options) => stream(counted, items, options),
    memory: () => session.memory(),
    close: () => session.close(),
    [Symbol.asyncDispose]: () => session.close(),
  };
  return counted;
}
