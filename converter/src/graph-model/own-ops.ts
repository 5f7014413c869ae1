import type { Graph } from "../graph/graph.ts";
import { isOwnOp } from "../ops.ts";

/** The ops of a graph, and of the functions it calls, that only our runtime has; sorted. */
export function listOwnOps(graph: Graph): readonly string[] {
  const bodies = [graph, ...graph.functions.values()];
  const ops = bodies.flatMap(({ nodes }) => [...nodes.values()].map(({ op }) => op));
  return [...new Set(ops.filter(isOwnOp))].sort();
}
