import type { Pass } from "../graph/graph.ts";
import { mapNodes } from "../graph/map-nodes.ts";
import { rewiredNode } from "../graph/rewired.ts";
import { sourcesIn } from "../graph/source-of.ts";

/** Connects nodes to where their inputs really come from, past Identity, StopGradient, CheckNumerics and their like. */
export const resolveIdentities: Pass = (graph) => {
  const sourceOf = sourcesIn(graph);
  return mapNodes(graph, (node) => rewiredNode(node, sourceOf));
};
