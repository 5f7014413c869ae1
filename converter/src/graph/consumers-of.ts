import type { Body, Node } from "./graph.ts";
import { sourceNames } from "./source-names.ts";

/** The nodes that take something of each node, or wait for it. */
export function consumersOf({ nodes }: Body): ReadonlyMap<string, readonly Node[]> {
  const consumers = new Map<string, Node[]>();
  for (const node of nodes.values()) {
    for (const name of sourceNames(node)) {
      const list = consumers.get(name);
      if (list === undefined) consumers.set(name, [node]);
      else if (list.at(-1) !== node) list.push(node);
    }
  }
  return consumers;
}
