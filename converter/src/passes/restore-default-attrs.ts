import type { Node, Pass } from "../graph/graph.ts";
import { mapNodes } from "../graph/map-nodes.ts";
import { opOf } from "../ops.ts";

/**
 * Writes out the attributes that TensorFlow leaves out because they have their default value. TensorFlow.js has
 * defaults of its own, and for some of these attributes another one or none.
 */
export const restoreDefaultAttrs: Pass = (graph) => mapNodes(graph, restore);

function restore(node: Node): Node {
  const defaults = opOf(node.op)?.defaults ?? {};
  const isComplete = Object.keys(defaults).every((name) => Object.hasOwn(node.attrs, name));
  return isComplete ? node : { ...node, attrs: { ...defaults, ...node.attrs } };
}
