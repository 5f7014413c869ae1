import type { Body, Node } from "./graph.ts";

/** The nodes, each after those it takes something of (but for loops), and otherwise in the order they are in. */
export function topologicalOrder({ nodes }: Body): ReadonlyMap<string, Node> {
  if (inOrder.has(nodes)) return nodes;
  const ordered = sourcesFirst(nodes, ({ inputs, controls }) => [...inputs.map((input) => input.node), ...controls]);
  inOrder.add(ordered);
  return ordered;
}

/** Nodes that were found to be in order. Most passes leave most graphs as they are, and nothing changes a map in place. */
const inOrder = new WeakSet<ReadonlyMap<string, Node>>();

/** What a map holds, each after its sources (but for loops), and otherwise in the order it is in. */
export function sourcesFirst<T>(all: ReadonlyMap<string, T>, sourcesOf: (each: T) => string[]): ReadonlyMap<string, T> {
  if (isInOrder(all, sourcesOf)) return all;
  const ordered = new Map<string, T>();
  const begun = new Set<string>();
  for (const name of all.keys()) {
    const pending = [name];
    for (let top = pending.at(-1); top !== undefined; top = pending.at(-1)) {
      const each = all.get(top);
      if (each === undefined || begun.has(top)) {
        pending.pop();
        if (each !== undefined) ordered.set(top, each);
        continue;
      }
      begun.add(top);
      for (const source of sourcesOf(each).reverse()) if (!begun.has(source)) pending.push(source);
    }
  }
  return ordered;
}

function isInOrder<T>(all: ReadonlyMap<string, T>, sourcesOf: (each: T) => readonly string[]): boolean {
  const seen = new Set<string>();
  for (const [name, each] of all) {
    if (sourcesOf(each).some((source) => !seen.has(source) && all.has(source))) return false;
    seen.add(name);
  }
  return true;
}
