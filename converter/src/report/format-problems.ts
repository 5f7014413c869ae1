import { adviceFor } from "./advice.ts";
import type { OpProblem } from "./check-ops.ts";

/** What can't be converted as a table for a person: each op, how often, where, why, and what to do. */
export function formatProblems(problems: readonly OpProblem[], where: string): string {
  const heads = problems.map(({ op, nodes }) => `${nodes.length} × ${op}`);
  const width = Math.max(...heads.map((head) => head.length));
  const rows = problems.flatMap(({ op, problem, nodes }, index) => [
    `  ${(heads[index] ?? "").padEnd(width)}  ${someOf(nodes)}`,
    `  ${" ".repeat(width)}  ${problem}`,
    `  ${" ".repeat(width)}  → ${adviceFor(op, problem)}`,
  ]);
  return [`${where}: some of its ops can't be converted.`, ...rows].join("\n");
}

function someOf(names: readonly string[]): string {
  const shown = names.slice(0, 3).map((name) => JSON.stringify(name));
  return names.length > shown.length ? `${shown.join(", ")} and ${names.length - shown.length} more` : shown.join(", ");
}
