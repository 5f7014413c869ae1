import type { GraphNode } from "../plan/graph-def.ts";

/** By the name of each node, those that take something of it. */
export function takersOf(nodes: readonly GraphNode[]): ReadonlyMap<string, readonly string[]> {
  const takers = new Map<string, string[]>();
  for (const { name, inputs } of nodes) {
    for (const { node } of inputs) {
      const known = takers.get(node);
      if (known) known.push(name);
      else takers.set(node, [name]);
    }
  }
  return takers;
}
