import type { ConversionReport } from "./conversion-report.ts";

/** What a model has that TensorFlow.js alone can't run; nothing where it can. */
export function runtimeNeeds({ needsOwnRuntime, ownOps, decimalInputs }: ConversionReport): readonly string[] {
  const needs = [...ownOps, ...decimalInputs.map((key) => `"${key}" beyond int32`)];
  return needs.length === 0 && needsOwnRuntime ? ["int8 weights"] : needs;
}
