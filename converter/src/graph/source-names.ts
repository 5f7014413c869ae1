import type { Node } from "./graph.ts";

/** The names of the nodes that a node takes something of, then of those that it waits for. */
export function sourceNames({ inputs, controls }: Node): readonly string[] {
  const names: string[] = [];
  for (const input of inputs) names.push(input.node);
  for (const control of controls) names.push(control);
  return names;
}
