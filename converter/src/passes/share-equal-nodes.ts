import type { Attrs, Node, Pass, TensorRef } from "../graph/graph.ts";
import { rewiredNode } from "../graph/rewired.ts";
import { opOf } from "../ops.ts";

/** Computes once what several nodes compute alike: the same op with the same attributes of the same tensors. */
export const shareEqualNodes: Pass = (graph) => {
  const known = new Map<string, Alike>();
  const places = new Map([...graph.nodes.keys()].map((name, place) => [name, place]));
  const sharedBy = new Map<string, string>();
  const outputs = new Set(graph.outputs.map(({ tensor }) => tensor.node));
  const share = (ref: TensorRef): TensorRef => {
    const first = sharedBy.get(ref.node);
    return first === undefined ? ref : { node: first, output: ref.output };
  };
  const nodes = new Map<string, Node>();
  for (const [name, given] of graph.nodes) {
    const node = rewiredNode(given, share);
    const first = isPure(node) ? firstLike(node, places, known) : undefined;
    if (first !== undefined && !outputs.has(name)) sharedBy.set(name, first.name);
    else nodes.set(name, node);
  }
  return sharedBy.size === 0 ? graph : { ...graph, nodes };
};

/** Nodes with the same op and inputs: the first, and once there are two, the first of those with the same attributes. */
interface Alike {
  readonly first: Node;
  byAttrs?: Map<string, Node>;
}

/** The first node that computes the same as this one; if there is none, this one is from now on. `places` are names' numbers. */
function firstLike(node: Node, places: ReadonlyMap<string, number>, known: Map<string, Alike>): Node | undefined {
  const { op, inputs, attrs } = node;
  let key = op;
  for (const { node, output } of inputs) key += ` ${places.get(node) ?? JSON.stringify(node)}:${output}`;
  const alike = known.get(key);
  if (alike === undefined) {
    known.set(key, { first: node });
    return undefined;
  }
  alike.byAttrs ??= new Map([[attrsText(alike.first.attrs), alike.first]]);
  const text = attrsText(attrs);
  const first = alike.byAttrs.get(text);
  if (first === undefined) alike.byAttrs.set(text, node);
  return first;
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
