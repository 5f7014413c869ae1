import type { Body, Node, TensorRef } from "./graph.ts";
import { sourceOf } from "./source-of.ts";
import { topologicalOrder } from "./topological-order.ts";

/** The body with each merge of a loop taking only what the loop begins with. */
function withoutRings(body: Body): Body {
  const nodes = [...body.nodes].map(([name, node]): [string, Node] => {
    const isOfLoop =
      node.op === "Merge" && node.inputs.some((input) => body.nodes.get(input.node)?.op === "NextIteration");
    return [name, isOfLoop ? { ...node, inputs: node.inputs.slice(0, 1) } : node];
  });
  return { ...body, nodes: new Map(nodes) };
}

/** Which sides of which predicates a node runs on, each as `sideOf` writes it. */
export type Context = ReadonlySet<string>;

/** Where tensors and nodes run; of a switch, a node is where both of its outputs are. */
export interface Contexts {
  of(ref: TensorRef): Context;
  ofNode(name: string): Context;
}

const everywhere: Context = new Set();

/**
 * Where each node runs, as far as branches in TensorFlow 1's form go, and the nodes in order: sources first, loops from
 * where they begin.
 */
export function contextsOf(graph: Body): { readonly order: ReadonlyMap<string, Node>; readonly contexts: Contexts } {
  const order = topologicalOrder(withoutRings(graph).nodes);
  const body: Body = { nodes: order, inputs: [], outputs: [], controls: [] };
  // Of a switch, this has what its two sides share.
  const contexts = new Map<string, Context>();
  const ofNode = (name: string) => contexts.get(name) ?? everywhere;
  const of = (ref: TensorRef): Context => {
    const { op = "", inputs = [] } = order.get(ref.node) ?? {};
    const predicate = /^(Ref)?Switch$|^_SwitchN$/.test(op) ? inputs[1] : undefined;
    if (predicate === undefined) return ofNode(ref.node);
    // Of several ways, none is the other one.
    const side = op === "_SwitchN" ? `way ${ref.output}` : ref.output;
    return new Set([...ofNode(ref.node), sideOf(sourceOf(body, predicate), side)]);
  };
  for (const node of order.values()) {
    const sources = node.inputs.map(of);
    // What comes out of a loop or a branch is where that is.
    const fromLoop = node.op === "Exit" ? node.inputs.map((input) => ofNode(input.node)) : sources;
    const inputs = node.op === "Merge" ? [shared(sources)] : fromLoop;
    contexts.set(node.name, union([...inputs, ...node.controls.map(ofNode)]));
  }
  return { order, contexts: { of, ofNode } };
}

/** A side of a predicate, as a context has it. */
export function sideOf({ node, output }: TensorRef, side: number | string): string {
  return JSON.stringify([node, output, side]);
}

function union(contexts: readonly Context[]): Context {
  const [first = everywhere, ...rest] = contexts.filter(({ size }) => size > 0);
  return rest.every((context) => isSameContext(context, first))
    ? first
    : new Set([first, ...rest].flatMap((each) => [...each]));
}

function shared([first = everywhere, ...rest]: readonly Context[]): Context {
  return new Set([...first].filter((each) => rest.every((context) => context.has(each))));
}

/** True if both contexts have the same sides. */
export function isSameContext(a: Context, b: Context = everywhere): boolean {
  return a === b || (a.size === b.size && [...a].every((each) => b.has(each)));
}
