import type { Body, Node } from "./graph.ts";

/** The nodes that take something of each node, or wait for it. */
export function consumersOf({ nodes }: Body): ReadonlyMap<string, readonly Node[]> {
  const consumers = new Map<string, Node[]>();
  for (const node of nodes.values()) {
    for (const name of new Set([...node.inputs.map((input) => input.node), ...node.controls])) {
      const list = consumers.get(name) ?? [];
      list.push(node);
      consumers.set(name, list);
    }
  }
  return consumers;
}
