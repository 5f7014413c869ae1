import { Counter, Histogram, type Registry } from "prom-client";
import { grpcStatuses } from "../grpc-statuses.ts";
import type { Repository } from "../repository/repository.ts";
import type { ServerEvent } from "../server-event.ts";
import { grpcStatusName } from "./finished-call.ts";

type WarmUpEvent = ServerEvent & { readonly type: "warm-up" };

/** The metrics of warm-ups, by the paths of versions. Those of versions that ended are left out: paths have no end. */
export interface WarmUpMetrics {
  add(event: WarmUpEvent): void;
  /** Leaves out the versions that ended by now. */
  forgetEnded(): void;
}

/** The metrics of warm-ups, in these registries. */
export function warmUpMetrics(repository: () => Repository, registers: [Registry], buckets: number[]): WarmUpMetrics {
  const labelNames = ["model_path", "status"] as const;
  const latency = new Histogram({
    ...{ name: ":tensorflow:serving:model_warmup_latency", help: "µs that warm-up requests took." },
    ...{ registers, labelNames, buckets },
  });
  const records = new Counter({
    ...{ name: ":tensorflow:serving:model_warmup_records_read", help: "The warm-up requests that were run." },
    ...{ registers, labelNames },
  });
  const series = new Map<string, Pick<WarmUpEvent, "model" | "version"> & { labels: Record<string, string> }>();
  const forgetEnded = () => {
    for (const [key, { model, version, labels }] of series) {
      const known = repository()
        .versions(model)
        .find((each) => each.version === version);
      if (known && (known.state !== "end" || known.error)) continue; // one that failed is still to be seen
      series.delete(key);
      latency.remove(labels);
      records.remove(labels);
    }
  };
  return {
    add({ model, version, path, error, durationMs, records: count }) {
      forgetEnded(); // perhaps nobody looks at metrics
      const status = grpcStatusName(error === null ? 0 : grpcStatuses[error.code]);
      const labels = { model_path: path, status };
      series.set(`${status} ${path}`, { model, version, labels });
      latency.observe(labels, durationMs * 1000);
      records.inc(labels, count);
    },
    forgetEnded,
  };
}
