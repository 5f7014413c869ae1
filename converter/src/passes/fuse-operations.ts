import { integerAttr, isChannelsLast, isTrue, textsAttr } from "../graph/attr-values.ts";
import { activationOps, fusableOps } from "../graph/channels.ts";
import type { Attr, Attrs, Node, TensorRef } from "../graph/graph.ts";
import { rule, type Surroundings } from "../graph/rule.ts";

/**
 * Makes one node of a convolution or a matrix product, the bias after it and the activation after that:
 * `activation(x ⊛ w + b)` is one kernel where TensorFlow.js would run three. The node takes the last one's name.
 */
export const fuseOperations = rule((root, around) => addBias(root, around) ?? addActivation(root, around));

/** What TensorFlow.js calls the op that does more. */
const fusedOps: Readonly<Record<string, string>> = {
  Conv2D: "_FusedConv2D",
  DepthwiseConv2dNative: "FusedDepthwiseConv2dNative",
  MatMul: "_FusedMatMul",
};
const fusedOpNames: ReadonlySet<string> = new Set(Object.values(fusedOps));

/**
 * x ⊛ w + b, where b is a constant: TensorFlow.js's wasm kernels ask the data of a bias for its rank, and that of a
 * reshaped tensor still has the rank that it had before.
 */
function addBias(root: Node, around: Surroundings): readonly Node[] | undefined {
  const node = root.op === "BiasAdd" && isChannelsLast(root) ? around.only(root.inputs[0], fusableOps) : undefined;
  if (node === undefined || !isChannelsLast(node) || !isFloat(node)) return undefined;
  if (around.constantOf(root.inputs[1]) === undefined) return undefined;
  // TensorFlow.js's wasm kernel leaves the bias out where it transposes.
  if (isTrue(node, "transpose_a") || isTrue(node, "transpose_b")) return undefined;
  return [fused(root, node, root.inputs.slice(1), ["BiasAdd"])];
}

/** activation(x ⊛ w + b), activation(x ⊛ w) */
function addActivation(root: Node, around: Surroundings): readonly Node[] | undefined {
  const [x, alpha] = root.inputs;
  const node = around.only(x, fusedOpNames) ?? around.only(x, fusableOps);
  if (node === undefined || !isChannelsLast(node) || !isFloat(node)) return undefined;
  const before = fusedOpNames.has(node.op) ? textsAttr(node, "fused_ops") : ["NoOp"];
  if (before.length !== 1) return undefined;
  if (root.op === "Prelu" && alpha !== undefined) {
    // Without a bias, TensorFlow.js would take alpha for one in a matrix product.
    const isMisread = node.op.endsWith("MatMul") && before[0] === "NoOp";
    return isMisread || around.shapeOf(alpha)?.length !== 1
      ? undefined
      : [fused(root, node, [alpha], [...before, "Prelu"])];
  }
  // The depthwise op's table lacks leakyrelu_alpha.
  const isUnread = root.op === "LeakyRelu" && node.op.includes("Depthwise");
  if (!activationOps.has(root.op) || isUnread) return undefined;
  const attrs: Attrs = root.op === "LeakyRelu" ? { leakyrelu_alpha: root.attrs.alpha ?? { f: 0.2 } } : {};
  return [fused(root, node, [], [...before, root.op], attrs)];
}

function fused(root: Node, node: Node, args: readonly TensorRef[], ops: readonly string[], attrs: Attrs = {}): Node {
  const encoder = new TextEncoder();
  const fused_ops: Attr = { list: { s: ops.map((op) => encoder.encode(op)) } };
  const num_args: Attr = { i: BigInt(integerAttr(node, "num_args") + args.length) };
  return {
    ...root,
    op: fusedOps[node.op] ?? node.op,
    inputs: [...node.inputs, ...args],
    attrs: { ...node.attrs, ...attrs, fused_ops, num_args },
  };
}

/** The fused kernels compute in float32 alone. */
function isFloat({ attrs: { T } }: Node): boolean {
  return T === undefined || ("type" in T && T.type === "DT_FLOAT");
}
