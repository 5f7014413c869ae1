import { browserBackends } from "../../backend-gaps.ts";
import type { ConversionReport } from "../conversion-report.ts";
import { formatBytes } from "../format-bytes.ts";
import { runtimeNeeds } from "../runtime-needs.ts";
import { type Html, html } from "./html.ts";

/** The few numbers that a conversion is about. */
export function summary(report: ConversionReport): Html {
  const { nodesBefore, nodesAfter, variables, weightBytes, shards, gaps } = report;
  const needs = runtimeNeeds(report);
  const backends = browserBackends.filter((backend) => gaps[backend].length === 0);
  const facts = [
    ["nodes", `${nodesBefore} → ${nodesAfter}`, "saved, and written; constants too"],
    ["weights", `${formatBytes(variables.bytes)} → ${formatBytes(weightBytes)}`, "read, and written in shards"],
    ["shards", String(shards.length), "files that hold the weights"],
    ["runs on", backends.join(", ") || "no backend", "backends that have all of its ops"],
    [
      "needs",
      needs.length === 0 ? "TensorFlow.js" : "Nearside",
      needs.length === 0 ? "or Nearside's runtime" : `its runtime alone has ${needs.join(", ")}`,
    ],
  ] as const;
  return html`<dl class="facts">${facts.map(([name, value, about]) => html`<div><dt>${name}</dt><dd>${value}</dd><dd class="about">${about}</dd></div>`)}</dl>`;
}
