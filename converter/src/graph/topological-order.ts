import type { Body, Node } from "./graph.ts";
import { sourceNames } from "./source-names.ts";

/**
 * The nodes, each after those it takes something of or waits for, and otherwise in the order they are in. Loops in
 * TensorFlow 1's form begin with their merges.
 */
export function topologicalOrder(nodes: Body["nodes"]): Body["nodes"] {
  const isBack = (name: string) => nodes.get(name)?.op === "NextIteration";
  return sourcesFirst<Node>(nodes, (node) => {
    const names = sourceNames(node);
    return node.op === "Merge" ? names.filter((name) => !isBack(name)) : names;
  });
}

/** What a map holds, each after its sources (but for loops), and otherwise in the order it is in; itself if it is so. */
export function sourcesFirst<T>(
  all: ReadonlyMap<string, T>,
  sourcesOf: (each: T) => readonly string[],
): ReadonlyMap<string, T> {
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
      for (const source of sourcesOf(each).toReversed()) if (!begun.has(source)) pending.push(source);
    }
  }
  return ordered;
}

function isInOrder<T>(all: ReadonlyMap<string, T>, sourcesOf: (each: T) => readonly string[]): boolean {
  const seen = new Set<string>();
  for (const [name, each] of all) {
    for (const source of sourcesOf(each)) if (!seen.has(source) && all.has(source)) return false;
    seen.add(name);
  }
  return true;
}
