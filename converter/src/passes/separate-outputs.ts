import { freeName } from "../graph/free-name.ts";
import type { Node, Pass, Port } from "../graph/graph.ts";

/**
 * Gives each output of the signature a node of its own, whose first output it is. TensorFlow.js finds an output by its
 * node alone, and so mistakes the second output of a node, or a second name for one, for the first. It also disposes
 * of what a loop's round returns once the next one has run, which must not be a weight.
 */
export const separateOutputs: Pass = (graph) => {
  const nodes = new Map(graph.nodes);
  const used = new Set(graph.inputs.map(({ tensor }) => tensor.node));
  const outputs: Port[] = [];
  for (const port of graph.outputs) {
    const { node, output } = port.tensor;
    if (output === 0 && !used.has(node) && nodes.get(node)?.op !== "Const") {
      used.add(node);
      outputs.push(port);
      continue;
    }
    const name = freeName(`${node}/output_${output}`, (candidate) => nodes.has(candidate));
    const identity: Node = {
      name,
      op: "Identity",
      inputs: [port.tensor],
      controls: [],
      attrs: { T: { type: port.dtype } },
    };
    nodes.set(name, identity);
    outputs.push({ ...port, tensor: { node: name, output: 0 } });
  }
  return nodes.size === graph.nodes.size ? graph : { ...graph, nodes, outputs };
};
