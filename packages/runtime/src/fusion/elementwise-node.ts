import type { GraphBody, GraphNode, OutputRef } from "../plan/graph-def.ts";

/** Nodes that are computed element by element, as one: its result is that of the last of them. */
export interface ElementwiseNode extends GraphNode {
  readonly op: "Elementwise";
  /** In order. What they take is either an earlier one's result or one of the inputs. */
  readonly members: readonly GraphNode[];
}

/** The members as a graph of their own, with inputs in the node's order. */
export function bodyOf({ name, members, inputs }: ElementwiseNode): GraphBody {
  const names = new Map(inputs.map((ref, index) => [keyOf(ref), `input ${index}`]));
  const inner = (ref: OutputRef): OutputRef => {
    const input = names.get(keyOf(ref));
    return input === undefined ? ref : { node: input, output: 0 };
  };
  const nodes = members.map((node) => [node.name, { ...node, inputs: node.inputs.map(inner), controls: [] }] as const);
  return { nodes: new Map(nodes), inputs: [...names.values()], outputs: [{ node: name, output: 0 }] };
}

/** The same for the same tensor. */
export function keyOf({ node, output }: OutputRef): string {
  return `${node}:${output}`;
}
