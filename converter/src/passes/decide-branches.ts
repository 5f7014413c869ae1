import { functionOf, isBranch } from "../graph/control-flow.ts";
import type { Graph, Node, Pass } from "../graph/graph.ts";
import { knownScalars, type ScalarOf } from "../graph/known-scalar.ts";
import { mapNodes } from "../graph/map-nodes.ts";

/** Turns a branch whose predicate is known into a call of the function that it takes: `if true then f else g` = `f`. */
export const decideBranches: Pass = (graph) => {
  const scalarOf = knownScalars(graph);
  return mapNodes(graph, (node) => decide(graph, node, scalarOf));
};

function decide(graph: Graph, node: Node, scalarOf: ScalarOf): Node {
  const [predicate, ...inputs] = node.inputs;
  const choice = !isBranch(node) || predicate === undefined ? undefined : scalarOf(predicate);
  if (choice === undefined) return node;
  const name = functionOf(choice === 0 ? node.attrs.else_branch : node.attrs.then_branch) ?? "";
  if (!graph.functions.has(name)) return node;
  return { ...node, op: "PartitionedCall", inputs, attrs: { f: { func: { name, attrs: {} } } } };
}
