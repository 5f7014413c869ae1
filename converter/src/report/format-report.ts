import { formatSpec, type TensorSpec } from "@nearside/core";
import type { ConversionReport } from "./conversion-report.ts";
import { formatGaps } from "./format-gaps.ts";
import { formatChosenDTypes, formatVerification } from "./format-verification.ts";
import { runtimeNeeds } from "./runtime-needs.ts";

/** A report as a few lines for a person. */
export function formatReport(report: ConversionReport): string {
  const { signatureName, signature, tensorflowVersion, nodesBefore, nodesAfter, shards, weightBytes } = report;
  const ops = Object.entries(report.ops).map(([op, count]) => `${op} ${count}`);
  const needs = runtimeNeeds(report);
  return [
    `signature  ${signatureName} (TensorFlow ${tensorflowVersion || "of unknown version"})`,
    ...specLines("input", signature.inputs),
    ...specLines("output", signature.outputs),
    `nodes      ${nodesBefore} before, ${nodesAfter} after`,
    `ops        ${ops.join(", ")}`,
    ...(needs.length > 0 ? [`needs      the Nearside runtime: ${needs.join(", ")}`] : []),
    ...formatGaps(report.gaps),
    ...(report.state.length > 0 ? [`keeps      from run to run: ${report.state.join(", ")}`] : []),
    `weights    ${weightBytes} bytes in ${shards.length} ${shards.length === 1 ? "shard" : "shards"}`,
    ...(report.chosenDTypes ? formatChosenDTypes(report.chosenDTypes) : []),
    ...(report.verification ? formatVerification(report.verification) : []),
    ...report.notices.map((notice) => `notice     ${notice}`),
  ].join("\n");
}

function specLines(label: string, specs: Readonly<Record<string, TensorSpec>>): readonly string[] {
  return Object.entries(specs).map(([key, spec]) => `${label.padEnd(10)} ${key}: ${formatSpec(spec)}`);
}
