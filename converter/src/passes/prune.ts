import { functionNames } from "../graph/function-names.ts";
import type { Body, Node, Pass } from "../graph/graph.ts";

/** Drops the nodes and functions that no output, input or control of the graph, or of a function that stays, needs. */
export const prune: Pass = (graph) => {
  const nodes = neededNodes(graph);
  const functions = new Map<string, Body>();
  const pending = [...nodes.values()];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    for (const name of functionNames(node)) {
      const body = graph.functions.get(name);
      if (body === undefined || functions.has(name)) continue;
      const needed = { ...body, nodes: neededNodes(body) };
      functions.set(name, needed);
      for (const inner of needed.nodes.values()) pending.push(inner);
    }
  }
  const isSame =
    nodes === graph.nodes && [...graph.functions].every(([name, { nodes }]) => functions.get(name)?.nodes === nodes);
  return isSame ? graph : { ...graph, nodes, functions: inOrderOf(graph.functions, functions) };
};

/** The nodes of a body that its outputs, inputs or controls need. */
export function neededNodes(body: Body): ReadonlyMap<string, Node> {
  const needed = new Map<string, Node>();
  const ports = [...body.inputs, ...body.outputs].map(({ tensor }) => tensor.node);
  const pending = [...ports, ...body.controls];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const node = body.nodes.get(name);
    if (node === undefined || needed.has(name)) continue;
    needed.set(name, node);
    // One by one: spread, the inputs of a node that has a hundred thousand would overflow the stack.
    for (const input of node.inputs) pending.push(input.node);
    for (const control of node.controls) pending.push(control);
  }
  return needed.size === body.nodes.size ? body.nodes : inOrderOf(body.nodes, needed);
}

function inOrderOf<V>(order: ReadonlyMap<string, V>, chosen: ReadonlyMap<string, V>): ReadonlyMap<string, V> {
  return new Map([...order].filter(([name]) => chosen.has(name)));
}
