import type { GraphNode, OutputRef } from "../plan/graph-def.ts";
import { isElementwise } from "./elementwise-formulas.ts";
import { type ElementwiseNode, keyOf } from "./elementwise-node.ts";
import { takersOf } from "./takers.ts";

/** A shader of WebGPU has eight buffers at least, and one is for the result. */
const maxInputs = 7;

/** Longer ones take no less time: what they read is long since what counts. */
const maxMembers = 32;

/**
 * The nodes, which are in order, with elementwise ones put together: what nothing but one group takes is computed there.
 * `wanted` are the graph's outputs.
 */
export function groupElementwise(nodes: readonly GraphNode[], wanted: readonly OutputRef[]): readonly GraphNode[] {
  const takers = takersOf(nodes);
  const outputs = new Set(wanted.map(({ node }) => node));
  const groups = new Map<string, GraphNode[]>(); // by each of their nodes
  for (const node of nodes.toReversed()) {
    if (!isElementwise(node)) continue;
    const taking = new Set(takers.get(node.name)?.map((taker) => groups.get(taker)));
    const [only] = taking;
    const fits = only !== undefined && only.length < maxMembers && inputsOf([node, ...only]).length <= maxInputs;
    const group = fits && taking.size === 1 && !outputs.has(node.name) ? only : [];
    group.unshift(node);
    groups.set(node.name, group);
  }
  return nodes.flatMap((node) => {
    const group = groups.get(node.name) ?? [];
    if (group.length < 2) return [node];
    return group.at(-1) === node ? [toElementwise(group, node)] : []; // where the last one is, all that they take is there
  });
}

/** Such nodes, in order, as one, which has the name of the last. */
export function toElementwise(members: readonly GraphNode[], { name, attrs }: GraphNode): ElementwiseNode {
  return { name, op: "Elementwise", inputs: inputsOf(members), controls: [], attrs, members };
}

/** What nodes take that isn't of their own, each once. */
function inputsOf(members: readonly GraphNode[]): readonly OutputRef[] {
  const own = new Set(members.map(({ name }) => name));
  const taken = members.flatMap(({ inputs }) => inputs).filter(({ node }) => !own.has(node));
  return [...new Map(taken.map((ref) => [keyOf(ref), ref])).values()];
}
