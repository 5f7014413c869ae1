import { functionOf, isBranch } from "../graph/control-flow.ts";
import type { Graph, Node, Pass } from "../graph/graph.ts";
import { type KnownScalars, knownScalar } from "../graph/known-scalar.ts";

/** Turns a branch whose predicate is known into a call of the function that it takes: `if true then f else g` = `f`. */
export const decideBranches: Pass = (graph) => {
  const known: KnownScalars = new Map();
  const nodes = [...graph.nodes.values()].map((node) => decide(graph, node, known));
  return { ...graph, nodes: new Map(nodes.map((node) => [node.name, node])) };
};

function decide(graph: Graph, node: Node, known: KnownScalars): Node {
  const [first, ...args] = node.inputs;
  const name = first === undefined ? undefined : chosenFunction(node, () => knownScalar(graph, first, known));
  if (name === undefined || !graph.functions.has(name)) return node;
  return { ...node, op: "PartitionedCall", inputs: args, attrs: { f: { func: { name, attrs: {} } } } };
}

function chosenFunction(node: Node, choose: () => number | undefined): string | undefined {
  if (isBranch(node)) {
    const choice = choose();
    if (choice === undefined) return undefined;
    return functionOf(choice === 0 ? node.attrs.else_branch : node.attrs.then_branch);
  }
  const { branches } = node.attrs;
  const isCase = node.op === "Case" || node.op === "StatelessCase";
  if (!isCase || branches === undefined || !("list" in branches)) return undefined;
  const choice = choose();
  const functions = branches.list.func ?? [];
  return choice === undefined ? undefined : (functions[choice] ?? functions.at(-1))?.name; // as TensorFlow does
}
