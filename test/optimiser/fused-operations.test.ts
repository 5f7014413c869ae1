import type { Node } from "../../converter/src/graph/graph.ts";
import { constantNode, integers, node, text } from "../../converter/testing/tiny-graph.ts";
import {
  activation,
  biased,
  type Case,
  filtered,
  filteredOps,
  float,
  floats,
  image,
  input,
  ints,
  ops,
  scaleAndShift,
  sliding,
  testCases,
  value,
} from "./tiny-cases.ts";

const fused: readonly Case[] = filteredOps.flatMap((op) =>
  ["Relu", "Relu6", "Elu", "LeakyRelu", "Prelu", "Sigmoid"].map((name) => {
    const isApart = op === "DepthwiseConv2dNative" && name === "LeakyRelu";
    return {
      title: `${name} after the bias of ${op}`,
      nodes: [...filtered[op].nodes, ...biased("conv"), ...activation(name, "biased")],
      ops: isApart ? [filtered[op].fused, name] : [filtered[op].fused],
    };
  }),
);
const unbiased: readonly Case[] = filteredOps.flatMap((op) =>
  ["Relu", "Sigmoid"].map((name) => ({
    title: `${name} after ${op} without a bias`,
    nodes: [...filtered[op].nodes, ...activation(name, "conv")],
    ops: [filtered[op].fused],
  })),
);

const sequence = input([2, 4, 3]);
const shapes: readonly Case[] = [
  {
    title: "a Conv1D with a batch norm and an activation goes into one convolution",
    nodes: [
      sequence,
      constantNode("axis", { ...integers(1), shape: [] }),
      node("expanded", "ExpandDims", ["x", "axis"], { attrs: { T: float } }),
      floats("w", [1, 2, 3, 5]),
      node("conv", "Conv2D", ["expanded", "w"], { attrs: sliding("SAME") }),
      node("squeezed", "Squeeze", ["conv"], { attrs: { T: float, squeeze_dims: ints(1) } }),
      ...biased("squeezed"),
      floats("k", [1, 1, 5]),
      node("scaled", "Mul", ["biased", "k"], { attrs: { T: float } }),
      node("y", "Relu", ["scaled"], { attrs: { T: float } }),
    ],
    ops: ops("ExpandDims _FusedConv2D Squeeze"),
  },
  {
    title: "a Dense layer over a sequence, in a batch of matrix products",
    nodes: [
      sequence,
      floats("w", [3, 5]),
      node("conv", "BatchMatMulV2", ["x", "w"], { attrs: { T: float } }),
      ...biased("conv"),
      node("y", "Relu", ["biased"], { attrs: { T: float } }),
    ],
    ops: ops("Reshape _FusedMatMul Reshape"),
  },
  {
    title: "transpositions and reshapes that are undone",
    nodes: [
      input([2, 3, 4, 5]),
      constantNode("there", integers(0, 3, 1, 2)),
      constantNode("back", integers(0, 2, 3, 1)),
      constantNode("none", integers(0, 1, 2, 3)),
      constantNode("flat", integers(-1, 60)),
      constantNode("shape", integers(2, 3, 4, 5)),
      node("a", "Transpose", ["x", "there"], { attrs: { T: float } }),
      node("b", "Transpose", ["a", "back"], { attrs: { T: float } }),
      node("c", "Transpose", ["b", "none"], { attrs: { T: float } }),
      node("d", "Reshape", ["c", "flat"], { attrs: { T: float } }),
      node("e", "Reshape", ["d", "shape"], { attrs: { T: float } }),
      node("y", "Relu", ["e"], { attrs: { T: float } }),
    ],
    ops: ["Relu"],
  },
  {
    title: "a mean whose axes come back as ones, as squeeze-excite blocks have it",
    nodes: [
      image,
      constantNode("axes", integers(1, 2)),
      constantNode("shape", integers(-1, 1, 1, 3)),
      node("mean", "Mean", ["x", "axes"], { attrs: { T: float } }),
      node("pixel", "Reshape", ["mean", "shape"], { attrs: { T: float } }),
      floats("w", [1, 1, 3, 3]),
      node("gate", "Conv2D", ["pixel", "w"], { attrs: sliding("SAME") }),
      node("open", "Sigmoid", ["gate"], { attrs: { T: float } }),
      node("y", "Mul", ["x", "open"], { attrs: { T: float } }),
    ],
    ops: ops("Mean _FusedConv2D Mul"),
  },
];

const grouped = (filter: readonly number[], channels: number): readonly Node[] => [
  input([1, 5, 5, channels]),
  floats("w", filter),
  node("conv", "Conv2D", ["x", "w"], { attrs: sliding("SAME") }),
];
const last = constantNode("last", { ...integers(3), shape: [] });
const groups: readonly Case[] = [
  {
    title: "a convolution in groups of two channels, with a batch norm and an activation",
    nodes: [
      ...grouped([3, 3, 2, 6], 4),
      floats("k", [6], 0.5, 1.5),
      floats("c", [6]),
      node("scaled", "Mul", ["conv", "k"], { attrs: { T: float } }),
      node("shifted", "AddV2", ["scaled", "c"], { attrs: { T: float } }),
      node("y", "Relu", ["shifted"], { attrs: { T: float } }),
    ],
    reference: [
      input([1, 5, 5, 4]),
      last,
      floats("w", [3, 3, 2, 6]),
      node("xs", "Split", ["last", "x"], { attrs: { T: float, num_split: { i: 2n } } }),
      node("ws", "Split", ["last", "w"], { attrs: { T: float, num_split: { i: 2n } } }),
      node("left", "Conv2D", ["xs", "ws"], { attrs: sliding("SAME") }),
      node("right", "Conv2D", ["xs:1", "ws:1"], { attrs: sliding("SAME") }),
      node("conv", "ConcatV2", ["left", "right", "last"], { attrs: { T: float, N: { i: 2n } } }),
      floats("k", [6], 0.5, 1.5),
      floats("c", [6]),
      node("scaled", "Mul", ["conv", "k"], { attrs: { T: float } }),
      node("shifted", "AddV2", ["scaled", "c"], { attrs: { T: float } }),
      node("y", "Relu", ["shifted"], { attrs: { T: float } }),
    ],
    ops: ops("Split _FusedConv2D _FusedConv2D ConcatV2"),
  },
  {
    title: "a convolution in as many groups as channels",
    nodes: [...grouped([3, 3, 1, 6], 3), node("y", "Relu", ["conv"], { attrs: { T: float } })],
    reference: [
      input([1, 5, 5, 3]),
      constantNode("w", { ...value("w", [3, 3, 1, 6]), shape: [3, 3, 3, 2] }),
      node("conv", "DepthwiseConv2dNative", ["x", "w"], { attrs: sliding("SAME") }),
      node("y", "Relu", ["conv"], { attrs: { T: float } }),
    ],
    ops: ["FusedDepthwiseConv2dNative"],
  },
];

const residual: readonly Case[] = [
  {
    title: "a sum of two branches is none that a bias is made of",
    nodes: [
      image,
      floats("w", [3, 3, 3, 3]),
      node("conv", "Conv2D", ["x", "w"], { attrs: sliding("SAME") }),
      node("sum", "AddV2", ["conv", "x"], { attrs: { T: float } }),
      node("y", "Relu", ["sum"], { attrs: { T: float } }),
    ],
    ops: ops("Conv2D AddV2 Relu"),
  },
  {
    title: "a convolution that is taken before its batch norm, too",
    nodes: [
      ...filtered.Conv2D.nodes,
      ...scaleAndShift("conv", 5, "norm"),
      node("y", "AddV2", ["norm", "conv"], { attrs: { T: float } }),
    ],
    ops: ops("Conv2D FusedBatchNormV3 AddV2"),
  },
  {
    title: "two convolutions with the same small filter, each with a scale of its own",
    nodes: [
      ...filtered.Conv2D.nodes,
      node("other", "Neg", ["x"], { attrs: { T: float } }),
      node("conv2", "Conv2D", ["other", "w"], { attrs: sliding("SAME", 2) }),
      floats("k", [5]),
      floats("k2", [5]),
      node("scaled", "Mul", ["conv", "k"], { attrs: { T: float } }),
      node("scaled2", "Mul", ["conv2", "k2"], { attrs: { T: float } }),
      node("y", "AddV2", ["scaled", "scaled2"], { attrs: { T: float } }),
    ],
    ops: ops("Conv2D Neg Conv2D AddV2"),
  },
  {
    title: "two convolutions with the same large filter, which isn't stored twice",
    nodes: [
      image,
      floats("w", [1, 1, 3, 1400]),
      floats("k", [1400]),
      node("conv", "Conv2D", ["x", "w"], { attrs: sliding("SAME") }),
      node("other", "Neg", ["x"], { attrs: { T: float } }),
      node("conv2", "Conv2D", ["other", "w"], { attrs: sliding("SAME") }),
      node("scaled", "Mul", ["conv", "k"], { attrs: { T: float } }),
      node("y", "AddV2", ["scaled", "conv2"], { attrs: { T: float } }),
    ],
    ops: ops("Conv2D Mul Neg Conv2D AddV2"),
  },
  {
    title: "debug ops",
    nodes: [
      image,
      node("checked", "CheckNumerics", ["x"], { attrs: { T: float, message: text("") } }),
      node("stopped", "StopGradient", ["checked"], { attrs: { T: float } }),
      node("y", "Relu", ["stopped"], { attrs: { T: float } }),
    ],
    reference: [image, node("y", "Relu", ["x"], { attrs: { T: float } })],
    ops: ["Relu"],
  },
];

testCases("activations are fused", [...fused, ...unbiased]);
testCases("shapes don't keep ops apart", shapes);
testCases("groups of channels are convolved apart", groups);
testCases("what is used elsewhere is left", residual);
