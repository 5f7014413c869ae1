import type { GraphNode, OutputRef } from "../plan/graph-def.ts";
import { rankOfSecond } from "../products/product-node.ts";
import type { Activation } from "../products/product-shader.ts";
import { takersOf } from "./takers.ts";

/** A product, what is added to it, and perhaps an activation, as one node: its inputs are the product's, then the addend. */
export interface SumNode extends GraphNode {
  readonly op: "ProductSum";
  readonly product: GraphNode;
  /** What follows: the addition, and the activation. */
  readonly rest: readonly GraphNode[];
  readonly activation: Activation;
}

const activations: Readonly<Record<string, Activation>> = {
  Elu: "elu",
  Relu: "relu",
  Relu6: "relu6",
  Sigmoid: "sigmoid",
};

/** The nodes, which are in order, with products put together with what is added to them. `wanted` are the graph's outputs. */
export function groupSums(nodes: readonly GraphNode[], wanted: readonly OutputRef[]): readonly GraphNode[] {
  const takers = takersOf(nodes);
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const outputs = new Set(wanted.map(({ node }) => node));
  /** What alone takes the node, where that is one. */
  const onlyTaker = ({ name }: GraphNode) => {
    const [taker, ...others] = takers.get(name) ?? [];
    return others.length === 0 && !outputs.has(name) ? byName.get(taker ?? "") : undefined;
  };
  const sums = new Map<string, SumNode>(); // by their last node
  const gone = new Set<string>();
  for (const node of nodes) {
    if (!isAddition(node) || gone.has(node.name)) continue;
    const product = node.inputs
      .map((ref) => byName.get(ref.node))
      .findLast((each) => each !== undefined && isProduct(each) && onlyTaker(each) === node);
    const addend = node.inputs.find((ref) => ref.node !== product?.name);
    if (product === undefined || addend === undefined) continue;
    const next = onlyTaker(node);
    const activation = next && Object.hasOwn(activations, next.op) ? activations[next.op] : undefined;
    const rest = next && activation ? [node, next] : [node];
    const { name, attrs } = rest.at(-1) as GraphNode; // it has one
    const inputs = [...product.inputs, addend];
    sums.set(name, {
      name,
      op: "ProductSum",
      inputs,
      controls: [],
      attrs,
      product,
      rest,
      activation: activation ?? "linear",
    });
    for (const member of [product, ...rest]) gone.add(member.name);
  }
  return nodes.flatMap((node) => sums.get(node.name) ?? (gone.has(node.name) ? [] : [node]));
}

function isAddition({ op, attrs }: GraphNode): boolean {
  return (op === "Add" || op === "AddV2") && attrs.type("T", "") === "DT_FLOAT";
}

function isProduct(node: GraphNode): boolean {
  return rankOfSecond(node) > 0 && node.attrs.type("T", "") === "DT_FLOAT";
}
