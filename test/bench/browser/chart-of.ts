import type { Chart } from "../draw-chart.mjs";
import type { BrowserReport } from "./bench-browser.ts";

/** The report as a chart: for each model a row per library, its warm run (median) and its first result (library, model). */
export function chartOf({ backend, cpu, cores, chromium, models }: BrowserReport): Chart {
  return {
    title: `${backend}, Chromium ${chromium}, ${cores} cores of ${cpu}`,
    columns: ["warm run, median", "first result: library (light), then model"],
    groups: Object.entries(models).map(([model, { contenders }]) => ({
      name: model,
      rows: Object.entries(contenders).map(([name, { warmMs, firstMs }]) => ({
        name,
        isOurs: name.startsWith("nearside"),
        bars: [
          { lengths: [warmMs.p50], label: `${warmMs.p50.toFixed(1)} ms` },
          { lengths: [firstMs.library, firstMs.model], label: `${(firstMs.library + firstMs.model).toFixed(0)} ms` },
        ],
      })),
    })),
  };
}
