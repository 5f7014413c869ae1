import { functionNames } from "../graph/function-names.ts";
import type { Body, Graph, Node, Pass } from "../graph/graph.ts";

/** Drops the nodes and functions that no output, input or control of the graph needs. */
export const prune: Pass = (graph) => {
  const nodes = neededNodes(graph);
  const functions = new Map<string, Body>();
  const pending = [...nodes.values()];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    for (const name of functionNames(node)) {
      const body = graph.functions.get(name);
      if (body === undefined || functions.has(name)) continue;
      functions.set(name, body);
      pending.push(...body.nodes.values());
    }
  }
  return { ...graph, nodes, functions: inOrderOf(graph.functions, functions) };
};

function neededNodes(graph: Graph): ReadonlyMap<string, Node> {
  const needed = new Map<string, Node>();
  const ports = [...graph.inputs, ...graph.outputs].map(({ tensor }) => tensor.node);
  const pending = [...ports, ...graph.controls];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const node = graph.nodes.get(name);
    if (node === undefined || needed.has(name)) continue;
    needed.set(name, node);
    pending.push(...node.inputs.map((input) => input.node), ...node.controls);
  }
  return inOrderOf(graph.nodes, needed);
}

function inOrderOf<V>(order: ReadonlyMap<string, V>, chosen: ReadonlyMap<string, V>): ReadonlyMap<string, V> {
  return new Map([...order].filter(([name]) => chosen.has(name)));
}
