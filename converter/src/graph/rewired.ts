import type { Graph, TensorRef } from "./graph.ts";

/** The graph with other tensors in the place of some; who waits for a node waits for what takes its place. */
export function rewired(graph: Graph, tensor: (ref: TensorRef) => TensorRef): Graph {
  const control = (node: string) => tensor({ node, output: 0 }).node;
  const nodes = [...graph.nodes.values()].map((node) => ({
    ...node,
    inputs: node.inputs.map(tensor),
    controls: node.controls.map(control),
  }));
  return {
    ...graph,
    nodes: new Map(nodes.map((node) => [node.name, node])),
    outputs: graph.outputs.map((port) => ({ ...port, tensor: tensor(port.tensor) })),
    controls: graph.controls.map(control),
  };
}
