import type { GraphBody, GraphNode, OutputRef } from "../plan/graph-def.ts";
import { isElementwise } from "./elementwise-formulas.ts";

/** Nodes that are computed element by element, as one: its result is that of the last of them. */
export interface ElementwiseNode extends GraphNode {
  readonly op: "Elementwise";
  /** In order. What they take is either an earlier one's result or one of the inputs. */
  readonly members: readonly GraphNode[];
}

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
    return group.at(-1) === node ? [toNode(group, node)] : []; // where the last one is, all that they take is there
  });
}

function toNode(members: readonly GraphNode[], { name, attrs }: GraphNode): ElementwiseNode {
  return { name, op: "Elementwise", inputs: inputsOf(members), controls: [], attrs, members };
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

/** What nodes take that isn't of their own, each once. */
function inputsOf(members: readonly GraphNode[]): readonly OutputRef[] {
  const own = new Set(members.map(({ name }) => name));
  const taken = members.flatMap(({ inputs }) => inputs).filter(({ node }) => !own.has(node));
  return [...new Map(taken.map((ref) => [keyOf(ref), ref])).values()];
}

/** The same for the same tensor. */
export function keyOf({ node, output }: OutputRef): string {
  return `${node}:${output}`;
}

/** By the name of each node, those that take something of it. */
function takersOf(nodes: readonly GraphNode[]): ReadonlyMap<string, readonly string[]> {
  const takers = new Map<string, string[]>();
  for (const { name, inputs } of nodes) {
    for (const { node } of inputs) {
      const known = takers.get(node);
      if (known) known.push(name);
      else takers.set(node, [name]);
    }
  }
  return takers;
}
