import type { Body, Node } from "./graph.ts";
import { mappedValues } from "./mapped.ts";

/** The graph or function with what `change` makes of each node in its place; the very same one if it changes none. */
export function mapNodes<B extends Body>(body: B, change: (node: Node) => Node): B {
  const nodes = mappedValues(body.nodes, change);
  return nodes === body.nodes ? body : { ...body, nodes };
}

/** The same with any nodes in the place of some, which are replaced; undefined for a node that stays. */
export function replaceNodes<B extends Body>(body: B, replacementsFor: (node: Node) => readonly Node[] | undefined): B {
  const replacements = new Map<string, readonly Node[]>();
  for (const node of body.nodes.values()) {
    const nodes = replacementsFor(node);
    if (nodes !== undefined) replacements.set(node.name, nodes);
  }
  if (replacements.size === 0) return body;
  const nodes = new Map<string, Node>();
  for (const [name, node] of body.nodes) {
    const made = replacements.get(name);
    if (made === undefined) nodes.set(name, node);
    for (const each of made ?? []) nodes.set(each.name, each);
  }
  return { ...body, nodes };
}
