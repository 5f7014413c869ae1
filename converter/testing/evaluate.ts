import { calledFunction } from "../src/graph/called-function.ts";
import type { Body, Graph, Node, TensorRef, TensorValue } from "../src/graph/graph.ts";

/**
 * What a graph of scalars computes, by output key: enough of TensorFlow to tell that a pass keeps a graph's meaning.
 * `stored` has the values that lie in a checkpoint, by their keys.
 */
export function evaluate(
  graph: Graph,
  feeds: Readonly<Record<string, number>>,
  stored: Readonly<Record<string, number>> = {},
): Readonly<Record<string, number>> {
  const fed = new Map(Object.entries(feeds));
  return Object.fromEntries(graph.outputs.map(({ key, tensor }) => [key, tensorOf(graph, graph, tensor, fed, stored)]));
}

type Feeds = ReadonlyMap<string, number>;
type Stored = Readonly<Record<string, number>>;

function tensorOf(graph: Graph, body: Body, { node: name, output }: TensorRef, feeds: Feeds, stored: Stored): number {
  const node = body.nodes.get(name);
  if (node === undefined) throw new Error(`no node "${name}"`);
  const fed = feeds.get(name);
  if (fed !== undefined) return fed;
  if (node.value !== undefined) return numberOf(node.value, stored);
  const inputs = node.inputs.map((input) => tensorOf(graph, body, input, feeds, stored));
  const called = calledFunction(graph, node);
  if (called !== undefined) {
    const result = called.body.outputs[output];
    if (result === undefined) throw new Error(`no output ${output} of "${name}"`);
    const given = new Map(called.body.inputs.map(({ tensor }, index) => [tensor.node, inputs[index] ?? Number.NaN]));
    return tensorOf(graph, called.body, result.tensor, given, stored);
  }
  return compute(node, output, inputs);
}

function compute({ op, name }: Node, output: number, inputs: readonly number[]): number {
  const [a = Number.NaN, b = Number.NaN] = inputs;
  const results = operations[op]?.(a, b);
  const result = results?.[output];
  if (result === undefined) throw new Error(`cannot compute output ${output} of ${op} "${name}"`);
  return result;
}

/** The outputs of each operation. A variable's handle is its value: reading hands it on. */
const operations: Readonly<Record<string, (a: number, b: number) => readonly number[]>> = {
  Add: (a, b) => [a + b],
  AddV2: (a, b) => [a + b],
  Cast: (a) => [Math.trunc(a)],
  CheckNumerics: (a) => [a],
  DivMod: (a, b) => [Math.floor(a / b), a % b],
  FloorMod: (a, b) => [a - b * Math.floor(a / b)],
  GatherV2: (a) => [a],
  Identity: (a) => [a],
  Mul: (a, b) => [a * b],
  ReadVariableOp: (a) => [a],
  ResourceGather: (a) => [a],
  StopGradient: (a) => [a],
  Sub: (a, b) => [a - b],
};

function numberOf(value: TensorValue, stored: Stored): number {
  if (value.kind === "stored") return stored[value.key] ?? Number.NaN;
  if (!(value.data instanceof Uint8Array)) throw new Error("expected numbers, got strings");
  const view = new DataView(value.data.buffer, value.data.byteOffset);
  return value.dtype === "DT_INT32" ? view.getInt32(0, true) : view.getFloat32(0, true);
}
