import type { Attrs, Node } from "./graph.ts";

/** The functions that a node names: what it calls, its branches, its loop's condition and body. */
export function functionNames({ op, attrs }: Node): readonly string[] {
  const names = [op];
  addNames(attrs, names);
  return names;
}

function addNames(attrs: Attrs, names: string[]): void {
  for (const attr of Object.values(attrs)) {
    const functions = "func" in attr ? [attr.func] : "list" in attr ? (attr.list.func ?? []) : [];
    for (const { name, attrs } of functions) {
      names.push(name);
      addNames(attrs, names);
    }
  }
}
