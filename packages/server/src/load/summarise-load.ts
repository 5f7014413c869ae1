import type { Load, LoadResult } from "./generate-load.ts";

/** The figures of one load. Latencies are in ms, of the requests that were answered well; null where none was. */
export interface LoadSummary {
  readonly load: Load;
  readonly requests: number;
  /** Requests answered well, per second. */
  readonly perSecond: number;
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
  readonly errors: Readonly<Record<string, number>>;
}

/** The figures of what became of requests. */
export function summariseLoad(load: Load, { latenciesMs, errors, seconds }: LoadResult): LoadSummary {
  const sorted = Float64Array.from(latenciesMs).sort();
  // The smallest latency that so many of the requests have at most.
  const quantile = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
  const failed = [...errors.values()].reduce((sum, count) => sum + count, 0);
  return {
    load,
    requests: sorted.length + failed,
    perSecond: sorted.length / seconds,
    p50Ms: quantile(0.5),
    p90Ms: quantile(0.9),
    p95Ms: quantile(0.95),
    p99Ms: quantile(0.99),
    maxMs: quantile(1),
    errors: Object.fromEntries(errors),
  };
}

/** What a load is called in tables and charts. */
export function describeLoad(load: Load): string {
  return "clients" in load ? `${load.clients} clients` : `${load.ratePerSecond}/s`;
}

/** The figures as a table of text. */
export function formatSummaries(summaries: readonly LoadSummary[]): string {
  const header = ["load", "requests", "per second", "p50 ms", "p90 ms", "p95 ms", "p99 ms", "max ms", "errors"];
  const rows = summaries.map(({ load, requests, perSecond, p50Ms, p90Ms, p95Ms, p99Ms, maxMs, errors }) => [
    describeLoad(load),
    String(requests),
    perSecond.toFixed(1),
    ...[p50Ms, p90Ms, p95Ms, p99Ms, maxMs].map((ms) => (ms === null ? "–" : ms.toFixed(2))),
    Object.entries(errors)
      .map(([what, count]) => `${count} × ${what}`)
      .join(", ") || "none",
  ]);
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join("  ");
  return [header, ...rows].map(line).join("\n");
}
