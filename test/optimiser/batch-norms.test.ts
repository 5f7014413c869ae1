import type { Node } from "../../converter/src/graph/graph.ts";
import { constantNode, integers, node, scalar, text } from "../../converter/testing/tiny-graph.ts";
import {
  batchNorm,
  biased,
  type Case,
  filtered,
  float,
  floats,
  image,
  input,
  ints,
  ops,
  scaleAndShift,
  sliding,
  testCases,
} from "./tiny-cases.ts";

const batchNormsAfter: readonly Case[] = [
  ...(["Conv2D", "DepthwiseConv2dNative"] as const).flatMap((op) =>
    ["FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"].map((norm) => ({
      title: `${norm} after ${op}`,
      nodes: [...filtered[op].nodes, ...batchNorm(norm, "conv")],
      ops: [filtered[op].fused],
    })),
  ),
  ...(["Conv2D", "DepthwiseConv2dNative"] as const).map((op) => ({
    title: `a scale and a shift across the bias of ${op}, and an activation`,
    nodes: [
      ...filtered[op].nodes,
      ...biased("conv"),
      ...scaleAndShift("biased", 5, "norm"),
      node("y", "Relu6", ["norm"], { attrs: { T: float } }),
    ],
    ops: [filtered[op].fused],
  })),
  {
    title: "a scale and a shift after MatMul",
    nodes: [
      ...filtered.MatMul.nodes,
      floats("k", [5]),
      floats("c", [1, 5]),
      node("scaled", "Mul", ["k", "conv"], { attrs: { T: float } }),
      node("y", "Sub", ["scaled", "c"], { attrs: { T: float } }),
    ],
    ops: ["_FusedMatMul"],
  },
  {
    title: "FusedBatchNormV3 after a transposed convolution",
    nodes: [
      input([1, 4, 4, 3]),
      constantNode("sizes", integers(1, 8, 8, 5)),
      floats("w", [2, 2, 5, 3]),
      node("conv", "Conv2DBackpropInput", ["sizes", "w", "x"], { attrs: sliding("SAME", 2) }),
      ...batchNorm("FusedBatchNormV3", "conv"),
    ],
    ops: ops("Conv2DBackpropInput BiasAdd"),
  },
  {
    title: "a scale and a shift after Conv3D",
    nodes: [
      input([1, 3, 4, 4, 2]),
      floats("w", [2, 2, 2, 2, 5]),
      node("conv", "Conv3D", ["x", "w"], {
        attrs: { T: float, padding: text("SAME"), strides: ints(1, 1, 1, 1, 1) },
      }),
      floats("k", [5]),
      node("y", "RealDiv", ["conv", "k"], { attrs: { T: float } }),
    ],
    ops: ["Conv3D"],
  },
  {
    title: "BatchNormWithGlobalNormalization after Conv2D",
    nodes: [
      ...filtered.Conv2D.nodes,
      ...batchNorm("FusedBatchNormV3", "conv").slice(0, -1),
      node("y", "BatchNormWithGlobalNormalization", ["conv", "mean", "variance", "beta", "gamma"], {
        attrs: { T: float, variance_epsilon: { f: 0.001 }, scale_after_normalization: { b: true } },
      }),
    ],
    reference: [...filtered.Conv2D.nodes, ...batchNorm("FusedBatchNormV3", "conv")],
    ops: ["_FusedConv2D"],
  },
  {
    title: "BatchNormWithGlobalNormalization without a scale, alone",
    nodes: [
      input([1, 2, 2, 5]),
      ...batchNorm("FusedBatchNormV3", "x").slice(0, -1),
      node("y", "BatchNormWithGlobalNormalization", ["x", "mean", "variance", "beta", "gamma"], {
        attrs: { T: float, variance_epsilon: { f: 0.001 }, scale_after_normalization: { b: false } },
      }),
    ],
    reference: [
      input([1, 2, 2, 5]),
      ...batchNorm("FusedBatchNormV3", "x").filter(({ name }) => name !== "gamma"),
      floats("gamma", [5], 1, 1),
    ],
    ops: ["FusedBatchNormV3"],
  },
];

const before = (padding: string, filter: readonly number[], op = "Conv2D"): readonly Node[] => [
  image,
  ...scaleAndShift("x", 3, "norm"),
  floats("w", filter),
  node("y", op, ["norm", "w"], { attrs: sliding(padding) }),
];
const batchNormsBefore: readonly Case[] = [
  { title: "a convolution without padding", nodes: before("VALID", [3, 2, 3, 5]), ops: ["_FusedConv2D"] },
  { title: "a convolution of single pixels", nodes: before("SAME", [1, 1, 3, 5]), ops: ["_FusedConv2D"] },
  {
    title: "a depthwise convolution without padding",
    nodes: before("VALID", [3, 2, 3, 2], "DepthwiseConv2dNative"),
    ops: ["FusedDepthwiseConv2dNative"],
  },
  {
    title: "a padded convolution, which it doesn't go into",
    nodes: before("SAME", [3, 2, 3, 5]),
    ops: ops("FusedBatchNormV3 Conv2D"),
  },
  {
    title: "a padded convolution, only a scale",
    nodes: [
      image,
      constantNode("k", scalar(1 / 255)),
      node("scaled", "Mul", ["x", "k"], { attrs: { T: float } }),
      constantNode("paddings", { ...integers(0, 0, 1, 2, 0, 1, 0, 0), shape: [4, 2] }),
      node("padded", "Pad", ["scaled", "paddings"], { attrs: { T: float } }),
      floats("w", [3, 2, 3, 5]),
      node("y", "Conv2D", ["padded", "w"], { attrs: sliding("VALID") }),
    ],
    ops: ["Conv2D"],
  },
  {
    title: "an activation, which keeps it out of the convolution",
    nodes: [
      image,
      ...scaleAndShift("x", 3, "norm"),
      node("active", "Relu", ["norm"], { attrs: { T: float } }),
      floats("w", [1, 1, 3, 5]),
      node("y", "Conv2D", ["active", "w"], { attrs: sliding("SAME") }),
    ],
    ops: ops("FusedBatchNormV3 Relu Conv2D"),
  },
  {
    title: "a matrix product, whose second matrix is transposed, and a reshape",
    nodes: [
      input([2, 2, 2, 3]),
      ...scaleAndShift("x", 3, "norm"),
      constantNode("shape", integers(-1, 3)),
      node("rows", "Reshape", ["norm", "shape"], { attrs: { T: float } }),
      floats("w", [5, 3]),
      node("conv", "MatMul", ["rows", "w"], { attrs: { T: float, transpose_b: { b: true } } }),
      ...biased("conv", "y"),
    ],
    ops: ops("Reshape _FusedMatMul"),
  },
];

testCases("batch norms after a filter are folded into it", batchNormsAfter);
testCases("batch norms before a filter are folded into it", batchNormsBefore);
