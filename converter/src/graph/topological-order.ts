import type { Body, Node } from "./graph.ts";
import { sourceNames } from "./source-names.ts";

/**
 * The nodes, each after those it takes something of or waits for, and otherwise in the order they are in; the very same
 * map if they are so. Loops in TensorFlow 1's form begin with their merges.
 */
export function topologicalOrder(nodes: Body["nodes"]): Body["nodes"] {
  const isBack = (name: string) => nodes.get(name)?.op === "NextIteration";
  return isInOrder(nodes, isBack)
    ? nodes
    : sourcesFirst<Node>(nodes, (node) => {
        const names = sourceNames(node);
        return node.op === "Merge" ? names.filter((name) => !isBack(name)) : names;
      });
}

function isInOrder(nodes: Body["nodes"], isBack: (name: string) => boolean): boolean {
  const seen = new Set<string>();
  const isLater = (name: string) => !seen.has(name) && nodes.has(name);
  for (const { name, op, inputs, controls } of nodes.values()) {
    for (const { node } of inputs) if (isLater(node) && !(op === "Merge" && isBack(node))) return false;
    for (const control of controls) if (isLater(control)) return false;
    seen.add(name);
  }
  return true;
}

/** What a map holds, each after its sources (but where they are in a ring), and otherwise in the order it is in. */
export function sourcesFirst<T>(
  all: ReadonlyMap<string, T>,
  sourcesOf: (each: T) => readonly string[],
): ReadonlyMap<string, T> {
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
      for (const source of sourcesOf(each).toReversed()) if (!begun.has(source)) pending.push(source);
    }
  }
  return ordered;
}
