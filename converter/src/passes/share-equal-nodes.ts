import type { Attrs, Body, Node, Pass, TensorRef } from "../graph/graph.ts";
import { rewiredNode } from "../graph/rewired.ts";
import { opOf } from "../ops.ts";

/** Computes once what several nodes compute alike: the same op with the same attributes of the same tensors. */
export const shareEqualNodes: Pass = (graph) => {
  const sharedBy = new Map<string, string>();
  const outputs = new Set(graph.outputs.map(({ tensor }) => tensor.node));
  const share = (ref: TensorRef): TensorRef => {
    const first = sharedBy.get(ref.node);
    return first === undefined ? ref : { node: first, output: ref.output };
  };
  const firstLike = firstOfEqual(graph);
  for (const node of graph.nodes.values()) {
    const first = isPure(node) ? firstLike(rewiredNode(node, share)) : node;
    if (first.name !== node.name && !outputs.has(node.name)) sharedBy.set(node.name, first.name);
  }
  if (sharedBy.size === 0) return graph;
  const kept = [...graph.nodes].filter(([name]) => !sharedBy.has(name));
  return { ...graph, nodes: new Map(kept.map(([name, node]) => [name, rewiredNode(node, share)])) };
};

/** Tells of one node after the other the first that computed the same: itself if there was none. */
function firstOfEqual({ nodes }: Body): (node: Node) => Node {
  const places = new Map([...nodes.keys()].map((name, place) => [name, place]));
  const firsts = new Map<string, Node>();
  const others = new Map<string, Node>();
  return (node) => {
    let key = node.op;
    for (const { node: name, output } of node.inputs) key += ` ${places.get(name) ?? JSON.stringify(name)}:${output}`;
    const first = firsts.get(key);
    if (first === undefined) firsts.set(key, node);
    // Attributes make long texts, and few nodes have op and inputs in common.
    const text = first === undefined ? undefined : attrsText(node.attrs);
    if (first === undefined || text === attrsText(first.attrs)) return first ?? node;
    const other = others.get(`${key} ${text}`) ?? node;
    others.set(`${key} ${text}`, other);
    return other;
  };
}

/** Whether a node computes the same each time, and nothing else happens. */
function isPure({ op, inputs, controls }: Node): boolean {
  const category = opOf(op)?.category;
  const isKnown = category !== undefined && category !== "control" && category !== "hash_table";
  return isKnown && inputs.length > 0 && controls.length === 0 && !randomOps.test(op);
}

const randomOps = /^(Random|Multinomial|TruncatedNormal|Placeholder|Const$|Print$)/;

function attrsText(attrs: Attrs): string {
  const sorted = Object.entries(attrs).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(sorted, plain);
}

/** What JSON lacks: whole numbers of any size, and floats that aren't numbers. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint" || typeof value === "number") return `${typeof value} ${value}`;
  return value;
}
