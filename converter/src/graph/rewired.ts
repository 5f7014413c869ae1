import type { Body, Node, Port, TensorRef } from "./graph.ts";
import { mapNodes } from "./map-nodes.ts";
import { mappedList } from "./mapped.ts";

/** Says which tensor takes another one's place: that very one where none does. */
export type Rewire = (ref: TensorRef) => TensorRef;

/** The graph with other tensors in the place of some; who waits for a node waits for what takes its place. */
export function rewired<B extends Body>(body: B, tensor: Rewire): B {
  const control = (node: string) => tensor({ node, output: 0 }).node;
  const moved = mapNodes(body, (node) => {
    const controls = mappedList(node.controls, control);
    const taking = rewiredNode(node, tensor);
    return controls === node.controls ? taking : { ...taking, controls };
  });
  return { ...moved, outputs: rewiredPorts(body.outputs, tensor), controls: mappedList(body.controls, control) };
}

/** The graph with other tensors in the place of some that its nodes take or that it returns; the very same one if none are. */
export function rewiredTensors<B extends Body>(body: B, tensor: Rewire): B {
  const taking = mapNodes(body, (node) => rewiredNode(node, tensor));
  const outputs = rewiredPorts(body.outputs, tensor);
  return outputs === body.outputs ? taking : { ...taking, outputs };
}

/** The node with other tensors in the place of some that it takes; the very same node if it takes none of them. */
export function rewiredNode(node: Node, tensor: Rewire): Node {
  const inputs = mappedList(node.inputs, tensor);
  return inputs === node.inputs ? node : { ...node, inputs };
}

/** Ports of other tensors in the place of some; the very same ports if they are of none of them. */
export function rewiredPorts(ports: readonly Port[], tensor: Rewire): readonly Port[] {
  return mappedList(ports, (port) => {
    const other = tensor(port.tensor);
    return other === port.tensor ? port : { ...port, tensor: other };
  });
}
