import { isChannelsLast, isTrue, textsAttr } from "../graph/attr-values.ts";
import { activationOps, filterOps } from "../graph/channels.ts";
import type { Body, Graph, Node, TensorRef } from "../graph/graph.ts";

/** Nodes that run on their own though a fused kernel might have done their work, and why. */
export interface Unfused {
  readonly op: string;
  readonly reason: string;
  /** The names of the nodes. */
  readonly nodes: readonly string[];
}

/**
 * The convolutions, matrix products, activations, biases and batch norms of an optimised graph that are not part of a
 * fused op, by op and reason.
 */
export function explainUnfused(graph: Graph): readonly Unfused[] {
  const found = new Map<string, { readonly op: string; readonly reason: string; readonly nodes: string[] }>();
  for (const body of [graph, ...graph.functions.values()]) {
    const around = neighbourhood(body);
    for (const node of body.nodes.values()) {
      const reason = reasonFor(node, around);
      if (reason === undefined) continue;
      const key = JSON.stringify([node.op, reason]);
      const known = found.get(key);
      if (known === undefined) found.set(key, { op: node.op, reason, nodes: [node.name] });
      else known.nodes.push(node.name);
    }
  }
  return [...found.values()];
}

/** Who computes a tensor, and who takes a node's. */
interface Neighbourhood {
  sourceOf(ref: TensorRef | undefined): Node | undefined;
  takersOf(name: string): readonly Node[];
  isOutput(name: string): boolean;
}

function neighbourhood({ nodes, outputs }: Body): Neighbourhood {
  const takers = new Map<string, Node[]>();
  for (const node of nodes.values()) {
    for (const name of new Set(node.inputs.map((input) => input.node))) {
      const known = takers.get(name);
      if (known === undefined) takers.set(name, [node]);
      else known.push(node);
    }
  }
  const outputNames = new Set(outputs.map(({ tensor }) => tensor.node));
  return {
    sourceOf: (ref) => (ref === undefined ? undefined : nodes.get(ref.node)),
    takersOf: (name) => takers.get(name) ?? [],
    isOutput: (name) => outputNames.has(name),
  };
}

function reasonFor(node: Node, around: Neighbourhood): string | undefined {
  if (filterOps.has(node.op)) return filterReason(node, around);
  if (isActivation(node)) return activationReason(node, around);
  const x = scaledInput(node, around);
  return x === undefined ? undefined : affineReason(x, around);
}

/** Why nothing after a convolution or a matrix product was taken into it. */
function filterReason(node: Node, around: Neighbourhood): string | undefined {
  const shared = sharedReason(node, around);
  if (shared !== undefined) return shared;
  const [next] = around.takersOf(node.name);
  if (next === undefined) return undefined;
  if (isActivation(next)) return activationReason(next, around);
  if (!biasOps.has(next.op) && !next.op.startsWith("FusedBatchNorm")) {
    return `${next.op} follows, which no fused op ends with`;
  }
  const hasConstant = next.inputs.some((input) => around.sourceOf(input)?.op === "Const");
  const lacks = hasConstant ? "isn't of one number per channel" : "takes no constant";
  return kernelReason(node) ?? `the ${next.op} that follows ${lacks}`;
}

/** Why an activation is on its own. */
function activationReason(node: Node, around: Neighbourhood): string | undefined {
  const source = around.sourceOf(node.inputs[0]);
  if (source === undefined) return undefined;
  if (source.op === "Placeholder") return "it is applied to an input";
  const isFused = fusedOp.test(source.op);
  if (!isFused && !filterOps.has(source.op)) return `it follows ${source.op}, which no fused op ends with`;
  if (node.op === "LeakyRelu" && source.op.includes("Depthwise")) {
    return "TensorFlow.js doesn't read the slope of a depthwise convolution's LeakyRelu";
  }
  const reason = sharedReason(source, around, "the result before it") ?? kernelReason(source);
  if (reason !== undefined) return reason;
  if (textsAttr(source, "fused_ops").length > 1) return `the ${source.op} before it has an activation already`;
  return node.op === "Prelu" ? "its slopes aren't one number per channel" : "no rule fuses it here";
}

function isActivation({ op }: Node): boolean {
  return activationOps.has(op) || op === "Prelu";
}

/** Why what scales or shifts by constants didn't become part of the weights before it. */
function affineReason(source: Node, around: Neighbourhood): string {
  if (source.op === "Placeholder") return "it is applied to an input";
  const isFused = fusedOp.test(source.op);
  if (!isFused && !filterOps.has(source.op)) {
    const lacks = unfusableOp.test(source.op) ? "which has no fused kernel" : "which has no weights to take it up";
    return `it follows ${source.op}, ${lacks}`;
  }
  const shared = sharedReason(source, around, "the result before it") ?? kernelReason(source);
  if (shared !== undefined) return shared;
  const filter = around.sourceOf(source.inputs[1]);
  if (filter?.op !== "Const") return `the filter of the ${source.op} before it is computed`;
  const sharers = around.takersOf(filter.name).length;
  if (sharers > 1) return `the filter of the ${source.op} before it is taken by ${sharers} nodes`;
  if (isFused) return `it follows a ${source.op} that adds or activates first`;
  return `its constant isn't one number per channel of the ${source.op} before it`;
}

/** The input of a node that scales or shifts it by constants. */
function scaledInput(node: Node, { sourceOf }: Neighbourhood): Node | undefined {
  if (node.op.startsWith("FusedBatchNorm")) return sourceOf(node.inputs[0]);
  if (!affineOps.has(node.op) && !biasOps.has(node.op)) return undefined;
  const sources = node.inputs.map(sourceOf);
  const isScaled = sources.filter((source) => source?.op === "Const").length === 1;
  return isScaled ? sources.find((source) => source?.op !== "Const") : undefined;
}

function sharedReason({ name }: Node, around: Neighbourhood, what = "its result"): string | undefined {
  const takers = around.takersOf(name);
  if (around.isOutput(name)) return `${what} is an output of the model`;
  return takers.length > 1 ? `${what} is taken by ${takers.length} nodes (${opsOf(takers)})` : undefined;
}

/** A few of the nodes' ops, in the order of their names. */
function opsOf(nodes: readonly Node[]): string {
  const ops = [...new Set(nodes.map(({ op }) => op))].sort();
  return ops.length > 4 ? `${ops.slice(0, 4).join(", ")}, …` : ops.join(", ");
}

/** What of a convolution or a matrix product TensorFlow.js has no fused kernel for. */
function kernelReason(node: Node): string | undefined {
  const { T } = node.attrs;
  if (!isChannelsLast(node)) return "its channels come first";
  if (T !== undefined && "type" in T && T.type !== "DT_FLOAT") return "it doesn't compute in float32";
  const isTransposed = isTrue(node, "transpose_a") || isTrue(node, "transpose_b");
  return isTransposed ? "it transposes a matrix, and on wasm the fused kernel then leaves out the bias" : undefined;
}

const fusedOp = /^_?Fused(Conv2D|DepthwiseConv2dNative|MatMul)$/;
/** What has weights, but no fused kernel. */
const unfusableOp = /^(BatchMatMul|Conv3D|Conv2DBackpropInput|(Nearside)?Einsum)/;
const biasOps: ReadonlySet<string> = new Set(["Add", "AddV2", "BiasAdd"]);
const affineOps: ReadonlySet<string> = new Set(["Mul", "RealDiv", "Sub"]);
