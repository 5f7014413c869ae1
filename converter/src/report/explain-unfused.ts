import { isChannelsLast, isTrue, textsAttr } from "../graph/attr-values.ts";
import { activationOps, fusableOps, inputChannelsOf, isPadded } from "../graph/channels.ts";
import type { Body, Graph, Node } from "../graph/graph.ts";
import { type Surroundings, surroundingsOf } from "../graph/rule.ts";

/** Nodes that are kernels of their own, and why the optimiser couldn't make them part of another. */
export interface Unfused {
  readonly op: string;
  readonly reason: string;
  /** The names of the nodes. */
  readonly nodes: readonly string[];
}

/**
 * The convolutions, matrix products, batch norms, products with constants, paddings and activations of an optimised
 * graph that stand alone, by op and reason.
 */
export function explainUnfused(graph: Graph): readonly Unfused[] {
  const found = new Map<string, Unfused & { readonly nodes: string[] }>();
  for (const body of [graph, ...graph.functions.values()]) {
    const view: View = { ...surroundingsOf(body), takersOf: takersIn(body) };
    for (const node of body.nodes.values()) {
      const reason = reasonFor(node, view);
      if (reason === undefined) continue;
      const key = JSON.stringify([node.op, reason]);
      const group = found.get(key);
      if (group === undefined) found.set(key, { op: node.op, reason, nodes: [node.name] });
      else group.nodes.push(node.name);
    }
  }
  return [...found.values()];
}

interface View extends Surroundings {
  /** The nodes that take an output of this one. */
  takersOf(name: string): readonly Node[];
}

function takersIn({ nodes }: Body): View["takersOf"] {
  const takers = new Map<string, Node[]>();
  for (const node of nodes.values()) {
    for (const name of new Set(node.inputs.map((input) => input.node))) {
      const list = takers.get(name);
      if (list === undefined) takers.set(name, [node]);
      else list.push(node);
    }
  }
  return (name) => takers.get(name) ?? [];
}

function reasonFor(node: Node, view: View): string | undefined {
  if (fusableOps.has(node.op)) return reasonForFilter(node, view);
  if (activationOps.has(node.op) || node.op === "Prelu") return reasonForActivation(node, view);
  if (node.op.startsWith("FusedBatchNorm") || isScale(node, view)) return reasonForScale(node, view);
  if (batchProducts.has(node.op)) return reasonForBatchProduct(node, view);
  const isPadding = (node.op === "Pad" || node.op === "PadV2") && view.takersOf(node.name).some(isPool);
  return isPadding ? "TensorFlow.js's pooling takes no paddings of its own" : undefined;
}

const batchProducts: ReadonlySet<string> = new Set(["BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum"]);
const batchNorms: ReadonlySet<string> = new Set(["FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"]);
const fusedName = /^_?Fused(Conv2D|MatMul|DepthwiseConv2dNative)$/;

function isScale({ op, inputs }: Node, { constantOf }: View): boolean {
  const isProduct = op === "Mul" || op === "RealDiv" || op === "Div";
  return isProduct && inputs.some((input) => constantOf(input)?.dtype === "DT_FLOAT");
}

function isPool({ op }: Node): boolean {
  return op === "MaxPool" || op === "AvgPool";
}

/** Why nothing was fused into a convolution or a matrix product. */
function reasonForFilter(node: Node, view: View): string {
  const takers = view.takersOf(node.name);
  const [next] = takers;
  if (!isChannelsLast(node)) return "TensorFlow.js fuses convolutions with the channels last only";
  if (view.isOutput(node.name)) return "it is one of the model's outputs";
  if (takers.length !== 1 || next === undefined)
    return `${takers.length} nodes take it, so what follows can't be part of it`;
  if (next.op === "BiasAdd" && view.constantOf(next.inputs[1]) === undefined) return "its bias is computed";
  if (next.op === "BiasAdd" && (isTrue(node, "transpose_a") || isTrue(node, "transpose_b"))) {
    return "TensorFlow.js's wasm kernel leaves the bias out of a product with a transposed matrix";
  }
  return `it has no bias, and ${next.op}, which follows, is no activation that can be fused`;
}

/** Why an activation isn't part of what it follows. */
function reasonForActivation(node: Node, view: View): string {
  const source = view.nodeOf(node.inputs[0]);
  const op = source?.op ?? "";
  if (source === undefined || !(fusableOps.has(op) || fusedName.test(op)))
    return `it follows ${describe(source, view)}`;
  if (view.isOutput(source.name)) return `the ${op} before it is one of the model's outputs`;
  const takesBoth = ({ inputs }: Node) => inputs.some((input) => input.node === source.name);
  if (node.op === "Sigmoid" && view.takersOf(node.name).some(takesBoth)) {
    return "x·sigmoid(x) takes what the convolution computes twice, and TensorFlow.js has no kernel for it";
  }
  const others = view.takersOf(source.name).length - 1;
  if (others > 0) return `the ${op} before it is taken by ${others} other nodes, too`;
  if (textsAttr(source, "fused_ops").length > 1) return `the ${op} before it has an activation already`;
  if (node.op === "LeakyRelu") return "TensorFlow.js doesn't read its slope in a depthwise convolution";
  return `TensorFlow.js can't fuse this form of it into ${op}`;
}

function describe(source: Node | undefined, { constantOf }: View): string {
  if (source === undefined) return "an input";
  if (batchNorms.has(source.op)) return "a batch norm that stays";
  const isSum = source.op === "Add" || source.op === "AddV2";
  if (isSum && source.inputs.every((input) => constantOf(input) === undefined)) return "the sum of two branches";
  return `${source.op}, which no activation can be part of`;
}

/** Why a batch norm or a scale is neither part of the filter before it nor of the one after it. */
function reasonForScale(node: Node, view: View): string {
  const at = node.inputs.findIndex((input) => view.constantOf(input) === undefined);
  const source = view.nodeOf(node.inputs[at]);
  const before = source === undefined ? "an input" : source.op;
  const takers = view.takersOf(node.name);
  const [next] = takers;
  const behind = (why: string) => `it follows ${before}, and ${why}`;
  if (source !== undefined && fusableOps.has(source.op)) return `the ${source.op} before it is used elsewhere, too`;
  if (view.isOutput(node.name)) return behind("it is one of the model's outputs");
  if (takers.length !== 1 || next === undefined) return behind(`${takers.length} nodes take it`);
  const filter = view.constantOf(next.inputs[1]);
  const isFilter = filter !== undefined && inputChannelsOf(next, filter) !== undefined;
  if (filter !== undefined && (isFilter || fusedName.test(next.op)) && isPadded(next, filter)) {
    return behind(`the zeros around the input of ${next.op}, which takes it, must not be shifted`);
  }
  if (activationOps.has(next.op)) return behind(`${next.op} stands between it and any filter after it`);
  return behind(`${next.op}, which takes it, has no filter to fold it into`);
}

/** Why a product with a constant isn't a matrix product, into which something could be fused. */
function reasonForBatchProduct(node: Node, { constantOf, shapeOf }: View): string | undefined {
  if (constantOf(node.inputs[1]) === undefined) return undefined; // of two tensors, there is nothing to fuse
  const open = shapeOf(node.inputs[0])?.filter((size) => size === null).length ?? 2;
  return open > 1
    ? "several sizes of its input are open, so it can't be reshaped; fix them with --input_shape"
    : "it isn't one product of matrices";
}
