import type { Body, Node } from "./graph.ts";

/** The nodes, each after those it takes something of (but for loops), and otherwise in the order they are in. */
export function topologicalOrder({ nodes }: Body): ReadonlyMap<string, Node> {
  const ordered = new Map<string, Node>();
  const begun = new Set<string>();
  for (const name of nodes.keys()) {
    const pending = [name];
    for (let top = pending.at(-1); top !== undefined; top = pending.at(-1)) {
      const node = nodes.get(top);
      if (node === undefined || begun.has(top)) {
        pending.pop();
        if (node !== undefined) ordered.set(top, node);
        continue;
      }
      begun.add(top);
      const sources = [...node.inputs.map((input) => input.node), ...node.controls];
      for (const source of sources.reverse()) if (!begun.has(source)) pending.push(source);
    }
  }
  return ordered;
}
