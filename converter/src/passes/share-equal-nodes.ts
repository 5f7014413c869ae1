import type { Node, Pass, TensorRef } from "../graph/graph.ts";
import { topologicalOrder } from "../graph/topological-order.ts";
import { opOf } from "../ops.ts";

/** Computes once what several nodes compute alike: the same op with the same attributes of the same tensors. */
export const shareEqualNodes: Pass = (graph) => {
  const firstOf = new Map<string, string>();
  const sharedBy = new Map<string, string>();
  const outputs = new Set(graph.outputs.map(({ tensor }) => tensor.node));
  const share = (ref: TensorRef): TensorRef => ({ ...ref, node: sharedBy.get(ref.node) ?? ref.node });
  const nodes = new Map<string, Node>();
  for (const [name, given] of topologicalOrder(graph)) {
    const node = { ...given, inputs: given.inputs.map(share) };
    const key = isPure(node) ? description(node) : undefined;
    const first = key === undefined ? undefined : firstOf.get(key);
    if (first !== undefined && !outputs.has(name)) {
      sharedBy.set(name, first);
      continue;
    }
    if (key !== undefined && first === undefined) firstOf.set(key, name);
    nodes.set(name, node);
  }
  return { ...graph, nodes };
};

/** Whether a node computes the same each time, and nothing else happens. */
function isPure({ op, inputs, controls }: Node): boolean {
  const category = opOf(op)?.category;
  const isKnown = category !== undefined && category !== "control" && category !== "hash_table";
  return isKnown && inputs.length > 0 && controls.length === 0 && !randomOps.test(op);
}

const randomOps = /^(Random|Multinomial|TruncatedNormal|Placeholder|Const$|Print$)/;

function description({ op, inputs, attrs }: Node): string {
  const sorted = Object.entries(attrs).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([op, inputs.map(({ node, output }) => [node, output]), sorted], plain);
}

/** What JSON lacks: whole numbers of any size, and floats that aren't numbers. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint" || typeof value === "number") return `${typeof value} ${value}`;
  return value;
}
