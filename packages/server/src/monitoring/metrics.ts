import { Counter, collectDefaultMetrics, exponentialBuckets, Gauge, Histogram, Registry } from "prom-client";
import type { Repository } from "../repository/repository.ts";
import type { ServerEvent } from "../server-event.ts";
import { backendProcesses } from "./backend-processes.ts";
import type { OnCall } from "./finished-call.ts";
import { type SessionWatch, watchSessions } from "./session-metrics.ts";
import { warmUpMetrics } from "./warm-up-metrics.ts";

/** The metrics of a server, in Prometheus' text format. Names that begin with `:tensorflow:serving:` are TensorFlow Serving's. */
export interface Metrics {
  readonly contentType: string;
  /** Everything that was counted, and what there is now. */
  render(): Promise<string>;
  readonly onCall: OnCall;
  onEvent(event: ServerEvent): void;
  /** Counts a request of the model that was to be kept. */
  onRecord(model: string, isWritten: boolean): void;
  /** Counts what the session of a signature does. */
  readonly watch: SessionWatch;
}

/** The calls that run a model: TensorFlow Serving counts no others. */
const runs: ReadonlySet<string | null> = new Set(["Predict", "Classify", "Regress", "MultiInference", "ModelInfer"]);

/** TensorFlow Serving's buckets of latencies, in µs, in the six digits that it prints. */
export const latencyBuckets = exponentialBuckets(10, 1.8, 33).map((bound) => Number(bound.toPrecision(6)));

/** Metrics of nothing yet. The repository is asked when they are rendered, and which models there are. */
export function createMetrics(repository: () => Repository): Metrics {
  const registers = [new Registry()] as [Registry];
  const [registry] = registers;
  const requestCount = new Counter({
    ...{ name: ":tensorflow:serving:request_count", help: "The requests that ran a model.", registers },
    labelNames: ["model_name", "status"],
  });
  const requestLatency = new Histogram({
    ...{ name: ":tensorflow:serving:request_latency", help: "µs that a request took which ran a model.", registers },
    labelNames: ["model_name", "API", "entrypoint"],
    buckets: latencyBuckets,
  });
  const requests = new Counter({
    ...{ name: "nearside_requests_total", help: "All requests.", registers },
    labelNames: ["entrypoint", "api", "status"],
  });
  const losses = new Counter({
    ...{ name: "nearside_backend_losses_total", help: "Processes of models that died.", registers },
    labelNames: ["model", "backend", "code"],
  });
  const restarts = new Counter({
    ...{ name: "nearside_backend_restarts_total", help: "Processes of models that run again.", registers },
    labelNames: ["model", "backend"],
  });
  const loadSeconds = new Gauge({
    ...{ name: "nearside_model_load_seconds", help: "What the last load of a model took.", registers },
    labelNames: ["model"],
  });
  const loadFailures = new Counter({
    ...{ name: "nearside_model_load_failures_total", help: "Loads of a model that failed.", registers },
    labelNames: ["model"],
  });
  const requestLogCount = new Counter({
    ...{ name: ":tensorflow:serving:request_log_count", help: "The requests that were to be kept.", registers },
    labelNames: ["model_name", "status_code"],
  });
  watchRepository(repository, registers);
  const processes = backendProcesses(registers);
  const warmUps = warmUpMetrics(repository, registers, latencyBuckets);
  let hasProcess = false;
  return {
    contentType: registry.contentType,
    async render() {
      if (!hasProcess) collectDefaultMetrics({ register: registry }); // its timers are for who asks
      hasProcess = true;
      warmUps.forgetEnded();
      return registry.metrics();
    },
    onCall({ entrypoint, api, model, status, durationMs }) {
      requests.inc({ entrypoint, api: api ?? "", status });
      if (model === null || !runs.has(api)) return;
      const name = repository().models.includes(model) ? model : ""; // or clients could make up any number of series
      requestCount.inc({ model_name: name, status });
      if (status === "OK") requestLatency.observe({ model_name: name, API: api ?? "", entrypoint }, durationMs * 1000);
    },
    onEvent(event) {
      switch (event.type) {
        case "available":
          return loadSeconds.set({ model: event.model }, event.loadMs / 1000);
        case "failed":
          return loadFailures.inc({ model: event.model });
        case "lost":
          return losses.inc({ model: event.model, backend: event.backend, code: event.error.code });
        case "restarted":
          return restarts.inc({ model: event.model, backend: event.backend });
        case "process":
          return processes.add(event);
        case "warm-up":
          return warmUps.add(event);
      }
    },
    onRecord: (model, isWritten) =>
      requestLogCount.inc({ model_name: model, status_code: isWritten ? "OK" : "UNAVAILABLE" }),
    watch: watchSessions(registers, latencyBuckets),
  };
}

function watchRepository(repository: () => Repository, registers: [Registry]): void {
  new Gauge({
    ...{ name: "nearside_ready", help: "Whether the server is ready, 1 or 0.", registers },
    collect() {
      this.set(repository().isReady ? 1 : 0);
    },
  });
  new Gauge({
    ...{ name: "nearside_model_versions", help: "The versions of a model, by their state.", registers },
    labelNames: ["model", "state"],
    collect() {
      this.reset();
      const { models } = repository();
      for (const model of models) {
        for (const { state } of repository().versions(model)) this.inc({ model, state });
      }
    },
  });
}
