import type { Body, Graph, Pass } from "../graph/graph.ts";
import { neededNodes } from "./prune.ts";
import { raiseBranch } from "./raise-branch.ts";
import { raiseLoop } from "./raise-loop.ts";

/**
 * Turns TensorFlow 1's branches (`Switch`, `Merge`) and loops (`Enter`, `NextIteration`, `Exit`) into `StatelessIf` and
 * `StatelessWhile` with functions, innermost first, where it is sure that they are what tf.cond and tf.while_loop
 * wrote. Control edges tell what is within a branch, so this must come before they are dropped.
 */
export const raiseControlFlow: Pass = (graph) => {
  if (![graph, ...graph.functions.values()].some(hasMerge)) return graph;
  let { functions, ...raised } = raiseBody(graph, graph.functions);
  for (const name of functions.keys()) {
    const body = functions.get(name);
    if (body === undefined || !hasMerge(body)) continue;
    const { functions: more, ...own } = raiseBody(body, functions);
    functions = new Map([...more, [name, own]]);
  }
  return { ...raised, functions };
};

/** More than any model has. */
const maxRaised = 10_000;

function raiseBody(body: Body, functions: Graph["functions"]): Graph {
  let current: Graph = { ...body, functions };
  for (let count = 0; count < maxRaised && hasMerge(current); count++) {
    const next = raiseBranch(current) ?? raiseLoop(current);
    if (next === undefined) break;
    current = { ...next, nodes: neededNodes(next) };
  }
  return current;
}

function hasMerge({ nodes }: Body): boolean {
  return [...nodes.values()].some(({ op }) => op === "Merge");
}
