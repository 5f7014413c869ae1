import { freeName } from "../graph/free-name.ts";
import type { Node, Pass, TensorRef } from "../graph/graph.ts";
import { rewiredTensors } from "../graph/rewired.ts";

/**
 * NonMaxSuppressionV5's third output is how many boxes it selected. TensorFlow.js doesn't return it, but without
 * padding it is the size of the first: valid_outputs = size(selected_indices)
 */
export const countSuppressed: Pass = (graph) => {
  const sizes = new Map<string, Node>();
  const replace = (ref: TensorRef): TensorRef => {
    const source = graph.nodes.get(ref.node);
    const padding = source?.attrs.pad_to_max_output_size;
    const isPadded = padding !== undefined && "b" in padding && padding.b;
    if (source?.op !== "NonMaxSuppressionV5" || ref.output !== 2 || isPadded) return ref;
    const known = sizes.get(ref.node);
    const name = known?.name ?? freeName(`${ref.node}/valid_outputs`, (candidate) => graph.nodes.has(candidate));
    const attrs = { T: { type: "DT_INT32" }, out_type: { type: "DT_INT32" } } as const;
    sizes.set(ref.node, { name, op: "Size", inputs: [{ node: ref.node, output: 0 }], controls: [], attrs });
    return { node: name, output: 0 };
  };
  const counted = rewiredTensors(graph, replace);
  const added = [...sizes.values()].map((node) => [node.name, node] as const);
  return added.length === 0 ? graph : { ...counted, nodes: new Map([...counted.nodes, ...added]) };
};
