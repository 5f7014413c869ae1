import type { Pass } from "../graph/graph.ts";
import { opOf } from "../ops.ts";

/**
 * Writes out the attributes that TensorFlow leaves out because they have their default value. TensorFlow.js has
 * defaults of its own, and for some of these attributes another one or none.
 */
export const restoreDefaultAttrs: Pass = (graph) => ({
  ...graph,
  nodes: new Map(
    [...graph.nodes].map(([name, node]) => [name, { ...node, attrs: { ...opOf(node.op)?.defaults, ...node.attrs } }]),
  ),
});
