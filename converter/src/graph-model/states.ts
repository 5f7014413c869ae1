import { constant } from "../graph/constant.ts";
import { freeName } from "../graph/free-name.ts";
import type { Graph, Node, Port } from "../graph/graph.ts";
import type { Json } from "./graph-def-json.ts";

/** A variable that a run changes: the nodes that take and return what it holds, and the weight that it holds at first. */
interface State {
  readonly input: Port;
  readonly output: Port;
  readonly initial: Node;
}

/** The variables that a run of the graph changes. */
export function listStates(graph: Graph): readonly State[] {
  return graph.inputs.flatMap((input) => {
    const output = graph.outputs.find(({ key, initial }) => initial !== undefined && key === input.key);
    if (input.initial === undefined || output === undefined) return [];
    const name = freeName(`${input.tensor.node}/initial`, (taken) => graph.nodes.has(taken));
    return [{ input, output, initial: constant(name, input.initial) }];
  });
}

/** The inputs or outputs that are the signature's. */
export function signaturePorts(ports: readonly Port[]): readonly Port[] {
  return ports.filter(({ initial }) => initial === undefined);
}

/** `nearside.state` of `model.json`: by node and weight names. */
export function statesToJson(states: readonly State[]): readonly Json[] {
  return states.map(({ input, output, initial }) => ({
    input: input.tensor.node,
    output: output.tensor.node,
    initial: initial.name,
  }));
}
