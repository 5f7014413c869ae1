import { type RunInputs, type RunOptions, type Session, type SessionMemory, withoutImages } from "@nearside/core";
import { Counter, exponentialBuckets, Gauge, Histogram, type Registry } from "prom-client";
import type { BatchingEvent } from "../batching/batching-options.ts";
import type { SessionPlace } from "../repository/load-version.ts";
import { rowsOf, withRun } from "../repository/with-run.ts";

/** Counts what a session does that runs a signature of a model in so many processes. */
export type SessionWatch = (place: SessionPlace, instanceCount: number) => WatchedSession;

/** What to put around a session: `executions` inside of batching, `runs` outside, and who is to be told of batches. */
export interface WatchedSession {
  executions(session: Session): Session;
  runs(session: Session): Session;
  onBatching(event: BatchingEvent): void;
}

/** How long a scrape waits for what processes hold: one that runs a model answers only afterwards. */
const memoryMs = 500;

/** One of the sessions that there are now. */
interface Watched {
  readonly model: string;
  readonly instanceCount: number;
  session: Session | undefined;
  memory: SessionMemory;
  runsInFlight: number;
  /** Rows that wait for their batch; undefined where there are no batches. */
  queuedRows: number | undefined;
}

/** The metrics of sessions, in these registries. */
export function watchSessions(registers: [Registry], latencyBuckets: number[]): SessionWatch {
  const watched = new Set<Watched>();
  const metrics = sessionMetrics(registers, latencyBuckets);
  gauges(registers, watched);
  return ({ model }, instanceCount) => {
    const memory = { deviceBytes: 0, tensors: 0 };
    const state: Watched = { model, instanceCount, session: undefined, memory, runsInFlight: 0, queuedRows: undefined };
    return {
      executions: (session) =>
        withRun(session, async (inputs, options) => {
          const startMs = performance.now();
          const outputs = await session.run(inputs, options);
          const latencyMs = performance.now() - startMs;
          const labels = { model_name: model, runtime: session.backend };
          setImmediate(() => metrics.runtimeLatency.observe(labels, latencyMs * 1000)); // the answer goes first
          return outputs;
        }),
      runs: (session) => {
        state.session = session;
        watched.add(state);
        const run = async (inputs: RunInputs, options?: RunOptions) => {
          const rows = rowsOf(withoutImages(inputs));
          state.runsInFlight++;
          setImmediate(() => {
            metrics.exampleCounts.observe({ model }, rows);
            metrics.exampleTotal.inc({ model }, rows);
          }); // the run goes first
          try {
            return await session.run(inputs, options);
          } finally {
            state.runsInFlight--;
          }
        };
        return withRun(session, run, () => void watched.delete(state));
      },
      onBatching: (event) => {
        if (event.type === "queue") {
          state.queuedRows = event.rows;
          return;
        }
        const labels = { model_name: model };
        metrics.processedBatchSize.observe(labels, event.rows + event.paddingRows);
        metrics.paddingSize.observe(labels, event.paddingRows);
        for (const queuedMs of event.queuedMs) metrics.queuingLatency.observe(labels, queuedMs * 1000);
      },
    };
  };
}

function sessionMetrics(registers: [Registry], latencyBuckets: number[]) {
  const name = (rest: string) => `:tensorflow:serving:${rest}`;
  const batchBuckets = exponentialBuckets(1, 2, 14);
  const ofModel = { registers, labelNames: ["model_name"] } as const;
  return {
    runtimeLatency: new Histogram({
      ...{ name: name("runtime_latency"), help: "µs that a model ran, for one run or one batch.", registers },
      labelNames: ["model_name", "runtime"],
      buckets: latencyBuckets,
    }),
    exampleCounts: new Histogram({
      ...{ name: name("request_example_counts"), help: "The rows of a run.", registers, labelNames: ["model"] },
      buckets: batchBuckets,
    }),
    exampleTotal: new Counter({
      ...{ name: name("request_example_count_total"), help: "The rows of all runs.", registers, labelNames: ["model"] },
    }),
    queuingLatency: new Histogram({
      ...{ name: name("batching_session:queuing_latency"), help: "µs that a run waited for its batch.", ...ofModel },
      buckets: latencyBuckets,
    }),
    processedBatchSize: new Histogram({
      ...{ name: name("batching_session:processed_batch_size"), help: "The rows of a batch, filled up.", ...ofModel },
      buckets: batchBuckets,
    }),
    paddingSize: new Histogram({
      ...{ name: name("batching_session:padding_size"), help: "The rows that only fill a batch up.", ...ofModel },
      buckets: [0, ...batchBuckets],
    }),
  };
}

/** What there is at the moment of a scrape: the sums over a model's sessions. */
function gauges(registers: [Registry], watched: ReadonlySet<Watched>): void {
  const gauge = (name: string, help: string, read: (session: Watched) => number, before = async () => {}) =>
    new Gauge({
      ...{ name, help, registers, labelNames: ["model"] },
      async collect() {
        await before();
        this.reset();
        for (const session of watched) this.inc({ model: session.model }, read(session));
      },
    });
  gauge("nearside_runs_in_flight", "Runs that wait or run.", ({ runsInFlight }) => runsInFlight);
  gauge(
    "nearside_batching_queue_depth",
    "Rows that wait for a batch; without batching, runs that wait for a process.",
    ({ queuedRows, runsInFlight, instanceCount }) => queuedRows ?? Math.max(0, runsInFlight - instanceCount),
  );
  gauge(
    "nearside_backend_device_bytes",
    "What a model's backend holds: on the GPU, or in WebAssembly's or JavaScript's memory.",
    ({ memory }) => memory.deviceBytes,
    () => readMemory(watched),
  );
}

/** Asks each session what it holds. Those that don't answer in time keep what they last said. */
async function readMemory(watched: ReadonlySet<Watched>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, memoryMs);
  });
  const asked = [...watched].map(async (state) => {
    state.memory = (await state.session?.memory().catch(() => undefined)) ?? state.memory; // one that is lost holds nothing new
  });
  await Promise.race([late, Promise.all(asked)]);
  clearTimeout(timer);
}
