import type { Graph, Node } from "./graph.ts";

/** The nodes of a graph and of all its functions. */
export function allNodes(graph: Graph): readonly Node[] {
  return [graph, ...graph.functions.values()].flatMap(({ nodes }) => [...nodes.values()]);
}
