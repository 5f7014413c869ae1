import { textsAttr } from "../graph/attr-values.ts";
import type { Body, Graph, Node } from "../graph/graph.ts";

/** A node that does the work of several. */
export interface FusedNode {
  readonly name: string;
  readonly op: string;
  /** The ops that its kernel does one after another: `["Conv2D", "BiasAdd", "Relu6"]`. */
  readonly ops: readonly string[];
  /** The ops of the saved graph that became part of its weights, such as batch norms. */
  readonly folded: readonly string[];
}

/** The nodes of an optimised graph that do the work of several; `firstOps` are the ops that its names once had. */
export function listFused(graph: Graph, firstOps: ReadonlyMap<string, string>): readonly FusedNode[] {
  return [graph, ...graph.functions.values()].flatMap((body) =>
    [...body.nodes.values()].flatMap((node) => {
      const ops = kernelOps(node);
      const folded = foldedOps(node, body, firstOps);
      return ops.length + folded.length > 1 ? [{ name: node.name, op: node.op, ops, folded }] : [];
    }),
  );
}

/** The ops that a node's kernel does: its own alone, unless it is a fused one. */
export function kernelOps(node: Node): readonly string[] {
  const first = node.op.replace(/^_?Fused(?=Conv2D$|DepthwiseConv2dNative$|MatMul$)/, "");
  return first === node.op ? [node.op] : [first, ...textsAttr(node, "fused_ops").filter((op) => op !== "NoOp")];
}

/** What is folded into weights names them after the node that it was. */
function foldedOps(node: Node, { nodes }: Body, firstOps: ReadonlyMap<string, string>): readonly string[] {
  const origins = node.inputs.flatMap((input) => {
    const weight = nodes.get(input.node);
    const [, origin] = /^(.*)\/(?:filter|bias)(?:_\d+)?$/.exec(weight?.op === "Const" ? weight.name : "") ?? [];
    return origin === undefined ? [] : [origin];
  });
  const ops = [...new Set(origins)].flatMap((origin) => firstOps.get(origin) ?? []);
  return ops.filter((op) => op !== "BiasAdd" && !kernelOps(node).includes(op));
}
