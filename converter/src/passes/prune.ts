import { functionNames } from "../graph/function-names.ts";
import type { Body, Graph, Pass } from "../graph/graph.ts";

/** Drops the nodes and functions that no output, input or control of the graph, or of a function that stays, needs. */
export const prune: Pass = (graph) => {
  const nodes = neededNodes(graph);
  const functions = neededFunctions(graph, nodes);
  return nodes === graph.nodes && functions === graph.functions ? graph : { ...graph, nodes, functions };
};

/** The functions that nodes name, and those that the nodes in them name, without what these don't need. */
function neededFunctions(graph: Graph, nodes: Body["nodes"]): Graph["functions"] {
  const { functions } = graph;
  const needed = new Map<string, Body>();
  const pending = functions.size === 0 ? [] : [nodes];
  for (let from = pending.pop(); from !== undefined; from = pending.pop()) {
    for (const node of from.values()) {
      for (const name of functionNames(node)) {
        const body = functions.get(name);
        if (body === undefined || needed.has(name)) continue;
        const kept = neededNodes(body);
        needed.set(name, kept === body.nodes ? body : { ...body, nodes: kept });
        pending.push(kept);
      }
    }
  }
  const isSame = needed.size === functions.size && [...functions].every(([name, body]) => needed.get(name) === body);
  if (isSame) return functions;
  const inOrder = new Map<string, Body>();
  for (const name of functions.keys()) {
    const body = needed.get(name);
    if (body !== undefined) inOrder.set(name, body);
  }
  return inOrder;
}

/** The nodes of a body that its outputs, inputs or controls need. */
export function neededNodes(body: Body): Body["nodes"] {
  const needed = new Set<string>();
  const ports = [...body.inputs, ...body.outputs].map(({ tensor }) => tensor.node);
  const pending = [...ports, ...body.controls];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const node = needed.has(name) ? undefined : body.nodes.get(name);
    if (node === undefined) continue;
    needed.add(name);
    // One by one, and those that are there already not: a node may take something of others a hundred thousand times.
    for (const input of node.inputs) if (!needed.has(input.node)) pending.push(input.node);
    for (const control of node.controls) if (!needed.has(control)) pending.push(control);
  }
  if (needed.size === body.nodes.size) return body.nodes;
  return new Map([...body.nodes].filter(([name]) => needed.has(name)));
}
