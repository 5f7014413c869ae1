import { variableName, variableOps } from "../graph/variable-access.ts";
import { prune } from "../passes/prune.ts";
import type { SavedModel } from "../saved-model/saved-model.ts";

/**
 * Says of each variable that a signature uses and other signatures of the model change that they won't: each signature
 * is converted by itself. `state` names the variables that it changes itself.
 */
export function stateNotices(
  { graph, writers }: Pick<SavedModel, "graph" | "writers">,
  state: readonly string[],
): readonly string[] {
  const used = new Set([...prune(graph).nodes.values()].filter(({ op }) => variableOps.has(op)).map(variableName));
  if (used.size === 0) return [];
  const writersOf = writers();
  return [...used].flatMap((variable) => {
    const others = writersOf
      .get(variable)
      ?.map((name) => `"${name}"`)
      .join(", ");
    if (others === undefined) return [];
    const outcome = state.includes(variable)
      ? "that won't show here"
      : "here it keeps the value that it was saved with";
    return [`variable "${variable}" is changed by signature ${others} of the model, too; ${outcome}`];
  });
}
