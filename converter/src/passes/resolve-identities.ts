import type { Pass } from "../graph/graph.ts";
import { sourceOf } from "../graph/source-of.ts";

/** Connects nodes to where their inputs really come from, past Identity, StopGradient, CheckNumerics and their like. */
export const resolveIdentities: Pass = (graph) => ({
  ...graph,
  nodes: new Map(
    [...graph.nodes].map(([name, node]) => [
      name,
      { ...node, inputs: node.inputs.map((input) => sourceOf(graph, input)) },
    ]),
  ),
});
