import type { Body, Graph, Node } from "./graph.ts";

/** The function that a call node calls: by its attribute `f`, or in TensorFlow 1 by an op of the function's name. */
export function calledFunction(graph: Graph, node: Node): { readonly name: string; readonly body: Body } | undefined {
  const attr = callOps.has(node.op) ? node.attrs.f : undefined;
  const name = attr !== undefined && "func" in attr ? attr.func.name : node.op;
  const body = graph.functions.get(name);
  return body === undefined ? undefined : { name, body };
}

const callOps: ReadonlySet<string> = new Set(["PartitionedCall", "StatefulPartitionedCall"]);
