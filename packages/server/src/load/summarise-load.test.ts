import { describe, expect, test } from "vitest";
import { drawLoadChart } from "./draw-load-chart.ts";
import { formatSummaries, summariseLoad } from "./summarise-load.ts";

const latenciesMs = Array.from({ length: 100 }, (_, index) => 100 - index); // 1 to 100, not in order
const good = summariseLoad({ clients: 4 }, { latenciesMs, errors: new Map([["HTTP 503", 20]]), seconds: 2 });
const none = summariseLoad(
  { ratePerSecond: 50 },
  { latenciesMs: [], errors: new Map([["ECONNREFUSED", 5]]), seconds: 1 },
);

describe("summariseLoad", () => {
  test("tells percentiles by nearest rank, and requests per second without those that failed", () => {
    expect(good).toEqual({
      load: { clients: 4 },
      requests: 120,
      perSecond: 50,
      p50Ms: 50,
      p90Ms: 90,
      p95Ms: 95,
      p99Ms: 99,
      maxMs: 100,
      errors: { "HTTP 503": 20 },
    });
  });

  test("has no latencies where nothing was answered", () => {
    expect(none).toMatchObject({ requests: 5, perSecond: 0, p50Ms: null, maxMs: null });
  });

  test("is printed as a table", () => {
    const [header, first, second] = formatSummaries([good, none])
      .split("\n")
      .map((line) => line.trim().split(/ {2,}/));
    expect(header).toEqual([
      "load",
      "requests",
      "per second",
      "p50 ms",
      "p90 ms",
      "p95 ms",
      "p99 ms",
      "max ms",
      "errors",
    ]);
    expect(first).toEqual(["4 clients", "120", "50.0", "50.00", "90.00", "95.00", "99.00", "100.00", "20 × HTTP 503"]);
    expect(second).toEqual(["50/s", "5", "0.0", "–", "–", "–", "–", "–", "5 × ECONNREFUSED"]);
  });

  test("is drawn as a chart, also where nothing was answered", () => {
    const chart = drawLoadChart("a < b", [good, none]);
    expect(chart).toMatch(/^<svg xmlns[\s\S]*<\/svg>$/);
    expect(chart).toContain("a &lt; b");
    expect(chart).toContain("4 clients");
    expect(chart).not.toMatch(/NaN|null|Infinity/);
  });
});
