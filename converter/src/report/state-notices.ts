import type { Graph } from "../graph/graph.ts";
import { variableName, variableOps } from "../graph/variable-access.ts";

/**
 * Says of each variable that a signature uses and other signatures of the model change that they won't: each signature
 * is converted by itself. `before` is the signature's graph as it was read, `state` the variables that it changes itself.
 */
export function stateNotices(
  before: Graph,
  writers: ReadonlyMap<string, readonly string[]>,
  state: readonly string[],
): readonly string[] {
  const used = new Set([...before.nodes.values()].filter(({ op }) => variableOps.has(op)).map(variableName));
  return [...used].flatMap((variable) => {
    const others = writers
      .get(variable)
      ?.map((name) => `"${name}"`)
      .join(", ");
    if (others === undefined) return [];
    const outcome = state.includes(variable)
      ? "what they do to it won't show here"
      : "here it keeps the value that it was saved with";
    return [`variable "${variable}" is changed by signature ${others} of the model, too; ${outcome}`];
  });
}
