import { browserBackends } from "../../backend-gaps.ts";
import type { ConversionReport } from "../conversion-report.ts";
import { formatBytes } from "../format-bytes.ts";
import { type Html, html } from "./html.ts";

/** The few numbers that a conversion is about. */
export function summary(report: ConversionReport): Html {
  const { nodesBefore, nodesAfter, variables, weightBytes, shards, gaps } = report;
  const backends = browserBackends.filter((backend) => gaps[backend].length === 0);
  const facts = [
    ["nodes", `${nodesBefore} → ${nodesAfter}`, "saved, and written; constants too"],
    ["weights", `${formatBytes(variables.bytes)} → ${formatBytes(weightBytes)}`, "read, and written in shards"],
    ["shards", String(shards.length), "files that hold the weights"],
    ["runs on", backends.join(", ") || "no backend", "backends that have all of its ops"],
    ["needs", ...needs(report)],
  ] as const;
  return html`<dl class="facts">${facts.map(([name, value, about]) => html`<div><dt>${name}</dt><dd>${value}</dd><dd class="about">${about}</dd></div>`)}</dl>`;
}

/** What runs the model, and why no other does. */
function needs({ needsOwnRuntime, ownOps, state }: ConversionReport): readonly [string, string] {
  if (ownOps.length > 0) return ["Nearside", `its runtime alone has ${ownOps.join(", ")}`];
  if (needsOwnRuntime) return ["Nearside", "its loader alone reads int8 weights"];
  if (state.length > 0) return ["Nearside", "its sessions keep variables; TensorFlow.js must be fed them"];
  return ["TensorFlow.js", "or Nearside's runtime"];
}
