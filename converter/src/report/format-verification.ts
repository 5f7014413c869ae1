import type { ChosenDTypes } from "../verification/choose-dtypes.ts";
import type { OutputError } from "../verification/output-errors.ts";
import type { Verification } from "../verification/verify.ts";

/** A verification as a table: a line for each output. */
export function formatVerification({
  inputs,
  runs,
  backend,
  source,
  golden,
  ...rest
}: Verification): readonly string[] {
  const beside =
    golden === undefined ? [["source", source] as const] : [["source", source] as const, ["golden", golden] as const];
  const rows = beside.flatMap(([label, errors]) =>
    Object.entries(errors).map(([name, error]) => [label, name, ...cells(error, rest.randomOutputs.includes(name))]),
  );
  const table = [["beside", "output", "max |error|", "mean |error|", "max relative", "relative"], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return [
    `verified   ${runs} ${runs === 1 ? "run" : "runs"} on ${inputs} inputs, on ${backend}${rest.isOff ? ": off by more than it may" : ""}`,
    ...lines.map((line) => `           ${line}`),
  ];
}

/** What an automatic quantisation came to, in a line or two. */
export function formatChosenDTypes({ maxError, error, evaluations, weights }: ChosenDTypes): readonly string[] {
  const counts = new Map<string, number>();
  for (const { dtype } of Object.values(weights)) counts.set(dtype, (counts.get(dtype) ?? 0) + 1);
  const types = [...counts].map(([dtype, count]) => `${dtype} ${count}`).join(", ");
  return [
    `quantised  ${types}: error ${error.toExponential(1)} of ${maxError} allowed, after ${evaluations} ${evaluations === 1 ? "run" : "runs"} of the model`,
  ];
}

function cells(error: OutputError, isRandom: boolean): readonly string[] {
  if (error.problem !== undefined) return [error.problem];
  if (isRandom) return ["random: only its dtype and shape were compared"];
  const { maxAbsolute, meanAbsolute, maxRelative, relative } = error;
  return [maxAbsolute, meanAbsolute, maxRelative, relative].map((number) => number.toExponential(1));
}
