import type { Attrs, Node } from "./graph.ts";

/** The functions that a node names: what it calls, its branches, its loop's condition and body. */
export function functionNames({ op, attrs }: Node): readonly string[] {
  return [op, ...namesInAttrs(attrs)];
}

function namesInAttrs(attrs: Attrs): readonly string[] {
  return Object.values(attrs).flatMap((attr) => {
    if ("func" in attr) return [attr.func.name, ...namesInAttrs(attr.func.attrs)];
    if ("list" in attr) return attr.list.func?.flatMap(({ name, attrs }) => [name, ...namesInAttrs(attrs)]) ?? [];
    return [];
  });
}
