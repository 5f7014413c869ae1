import { textsAttr } from "../src/graph/attr-values.ts";
import { calledFunction } from "../src/graph/called-function.ts";
import { functionOf, isBranch, isLoop } from "../src/graph/control-flow.ts";
import { elementwise } from "../src/graph/elementwise.ts";
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
  const result = (name: string | undefined, given: readonly number[], output: number) => {
    const { inputs = [], outputs = [], ...rest } = graph.functions.get(name ?? "") ?? graph;
    const fed = new Map(inputs.map(({ tensor }, index) => [tensor.node, given[index] ?? Number.NaN]));
    const port = outputs[output];
    if (port === undefined) throw new Error(`no output ${output} of function "${name}"`);
    return tensorOf(graph, { ...rest, inputs, outputs }, port.tensor, fed, stored);
  };
  const { cond, body: round, then_branch: then, else_branch: otherwise } = node.attrs;
  if (isBranch(node)) return result(functionOf(inputs[0] === 0 ? otherwise : then), inputs.slice(1), output);
  if (isLoop(node)) {
    let state: readonly number[] = inputs;
    while (result(functionOf(cond), state, 0) !== 0) {
      const before = state;
      state = before.map((_, place) => result(functionOf(round), before, place));
    }
    return state[output] ?? Number.NaN;
  }
  const called = calledFunction(graph, node);
  if (called !== undefined) {
    const result = called.body.outputs[output];
    if (result === undefined) throw new Error(`no output ${output} of "${name}"`);
    const given = new Map(called.body.inputs.map(({ tensor }, index) => [tensor.node, inputs[index] ?? Number.NaN]));
    return tensorOf(graph, called.body, result.tensor, given, stored);
  }
  return compute(node, output, inputs);
}

function compute(node: Node, output: number, inputs: readonly number[]): number {
  const { op, name } = node;
  const [a = Number.NaN, b = Number.NaN] = inputs;
  const elementwiseOp = elementwise[op];
  const results = operations[op]?.(inputs, node) ?? (elementwiseOp && [elementwiseOp(a, b)]);
  const result = results?.[output];
  if (result === undefined) throw new Error(`cannot compute output ${output} of ${op} "${name}"`);
  return result;
}

type Operation = (inputs: readonly number[], node: Node) => readonly number[];

const handOn: Operation = ([a = Number.NaN]) => [a];
const product: Operation = ([a = Number.NaN, b = Number.NaN]) => [a * b];
const fused: Operation = ([x = Number.NaN, filter = Number.NaN, ...args], node) => {
  let [result, at] = [x * filter, 0];
  for (const op of textsAttr(node, "fused_ops")) {
    if (op === "NoOp") continue;
    const takesArg = op === "BiasAdd" || op === "Prelu";
    const inner = { ...node, op, attrs: { alpha: node.attrs.leakyrelu_alpha ?? { f: 0.2 } } };
    result = compute(inner, 0, takesArg ? [result, args[at++] ?? Number.NaN] : [result]);
  }
  return [result];
};

/** The outputs of each operation. A variable's handle is its value: reading hands it on. */
const operations: Readonly<Record<string, Operation>> = {
  BiasAdd: ([a = 0, b = 0]) => [a + b],
  Cast: ([a = 0]) => [Math.trunc(a)],
  CheckNumerics: handOn,
  Conv2D: product,
  DepthwiseConv2dNative: product,
  DivMod: ([a = 0, b = 0]) => [Math.floor(a / b), a % b],
  Elu: ([a = 0]) => [a > 0 ? a : Math.expm1(a)],
  Erf: ([a = 0]) => [erf(a)],
  Erfc: ([a = 0]) => [1 - erf(a)],
  ExpandDims: handOn,
  FusedBatchNormV3: ([x = 0, scale = 0, offset = 0, mean = 0, variance = 0], { attrs: { epsilon } }) => {
    const small = epsilon !== undefined && "f" in epsilon ? epsilon.f : Number.NaN;
    return [((x - mean) * scale) / Math.sqrt(variance + small) + offset];
  },
  FusedDepthwiseConv2dNative: fused,
  GatherV2: handOn,
  Identity: handOn,
  IdentityN: (inputs) => inputs,
  Less: ([a = 0, b = 0]) => [a < b ? 1 : 0],
  LeakyRelu: ([a = 0], { attrs: { alpha } }) => [a < 0 && alpha !== undefined && "f" in alpha ? a * alpha.f : a],
  MatMul: product,
  Pad: handOn,
  PadV2: handOn,
  Prelu: ([a = 0, alpha = 0]) => [a < 0 ? a * alpha : a],
  ReadVariableOp: handOn,
  Relu6: ([a = 0]) => [Math.min(Math.max(a, 0), 6)],
  Reshape: handOn,
  ResourceGather: handOn,
  Sigmoid: ([a = 0]) => [1 / (1 + Math.exp(-a))],
  Squeeze: handOn,
  StopGradient: handOn,
  Transpose: handOn,
  _FusedConv2D: fused,
  _FusedMatMul: fused,
};

/** The error function by its Taylor series, good for small numbers. */
function erf(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; n < 60; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** The only element of a value, or its first where all are the same. */
function numberOf(value: TensorValue, stored: Stored): number {
  if (value.kind === "stored") return stored[value.key] ?? Number.NaN;
  if (value.kind === "computed") {
    const [a = Number.NaN, b = Number.NaN] = value.operands.map((operand) => numberOf(operand, stored));
    return elementwise[value.op]?.(a, b) ?? a; // of one element, whatever its arrangement
  }
  if (!(value.data instanceof Uint8Array)) throw new Error("expected numbers, got strings");
  const view = new DataView(value.data.buffer, value.data.byteOffset);
  return value.dtype === "DT_INT32" ? view.getInt32(0, true) : view.getFloat32(0, true);
}
