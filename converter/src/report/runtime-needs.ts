import type { ConversionReport } from "./conversion-report.ts";

/** What a model has that TensorFlow.js alone can't run; nothing where it can. */
export function runtimeNeeds({ needsOwnRuntime, ownOps, decimalInputs, state }: ConversionReport): readonly string[] {
  const kept = state.length > 0 ? ["variables kept from run to run"] : [];
  const needs = [...ownOps, ...decimalInputs.map((key) => `"${key}" beyond int32`), ...kept];
  return needs.length === 0 && needsOwnRuntime ? ["int8 weights"] : needs;
}
