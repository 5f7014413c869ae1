import { expectClose } from "@nearside/core/testing";
import { describe, expect, test } from "vitest";
import type { Attr, Attrs, Node, Shape, TensorValue } from "../converter/src/graph/graph.ts";
import { literal } from "../converter/src/graph/literal.ts";
import { passes } from "../converter/src/passes/index.ts";
import { restoreDefaultAttrs } from "../converter/src/passes/restore-default-attrs.ts";
import { constantNode, graph, integers, node, scalar, text } from "../converter/testing/tiny-graph.ts";
import { runGraph } from "./run-graph.ts";

/** A graph of a few nodes, whose last one is `y`, and the ops that the optimiser leaves of it, constants aside. */
interface Case {
  readonly title: string;
  readonly nodes: readonly Node[];
  readonly ops: readonly string[];
  /** The same in ops that TensorFlow.js has, where it lacks some of those in `nodes`. */
  readonly reference?: readonly Node[];
}

function ops(names: string): readonly string[] {
  return names === "" ? [] : names.split(" ");
}

/** Numbers between `low` and `high` that look random and are the same each time. */
function numbers(seed: string, count: number, low = -1, high = 1): number[] {
  let state = [...seed].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % 2147483647;
  return Array.from({ length: count }, () => {
    state = (state * 48271) % 2147483647;
    return low + (state / 2147483647) * (high - low);
  });
}

function value(name: string, shape: readonly number[], low?: number, high?: number): TensorValue {
  const count = shape.reduce((product, size) => product * size, 1);
  const made = literal("DT_FLOAT", shape, numbers(name, count, low, high));
  if (made === undefined) throw new Error("not a float32");
  return made;
}

const floats = (name: string, shape: readonly number[], low?: number, high?: number) =>
  constantNode(name, value(name, shape, low, high));
const input = (shape: Shape) =>
  node("x", "Placeholder", [], { attrs: { shape: { shape }, dtype: { type: "DT_FLOAT" } } });
const ints = (...list: readonly number[]): Attr => ({ list: { i: list.map(BigInt) } });
const float: Attr = { type: "DT_FLOAT" };

const image = input([2, 7, 6, 3]);
const sliding = (padding: string, stride = 1): Attrs => ({
  T: float,
  padding: text(padding),
  strides: ints(1, stride, stride, 1),
});

/** The ops that take a filter: nodes up to `conv`, over five channels, and what the op is called once it is fused. */
const filtered = {
  Conv2D: {
    fused: "_FusedConv2D",
    nodes: [image, floats("w", [3, 2, 3, 5]), node("conv", "Conv2D", ["x", "w"], { attrs: sliding("SAME", 2) })],
  },
  DepthwiseConv2dNative: {
    fused: "FusedDepthwiseConv2dNative",
    nodes: [
      input([2, 7, 6, 5]),
      floats("w", [3, 3, 5, 1]),
      node("conv", "DepthwiseConv2dNative", ["x", "w"], { attrs: sliding("VALID") }),
    ],
  },
  MatMul: {
    fused: "_FusedMatMul",
    nodes: [input([4, 3]), floats("w", [3, 5]), node("conv", "MatMul", ["x", "w"], { attrs: { T: float } })],
  },
} as const;
type Filtered = keyof typeof filtered;
const filteredOps = Object.keys(filtered) as Filtered[];

const batchNorm = (op: string, of: string, name = "y"): readonly Node[] => [
  floats("gamma", [5], 0.5, 1.5),
  floats("beta", [5]),
  floats("mean", [5]),
  floats("variance", [5], 0.5, 1.5),
  node(name, op, [of, "gamma", "beta", "mean", "variance"], {
    attrs: { T: float, epsilon: { f: 0.001 }, is_training: { b: false } },
  }),
];
/** A batch norm as Keras 3 writes it. */
const scaleAndShift = (of: string, channels = 5, name = "y"): readonly Node[] => [
  floats("k", [1, 1, 1, channels], 0.5, 1.5),
  floats("c", [1, 1, 1, channels]),
  node(`${name}/mul`, "Mul", [of, "k"], { attrs: { T: float } }),
  node(name, "AddV2", [`${name}/mul`, "c"], { attrs: { T: float } }),
];
const biased = (of: string, name = "biased"): readonly Node[] => [
  floats("b", [5]),
  node(name, "BiasAdd", [of, "b"], { attrs: { T: float } }),
];
const activation = (op: string, of: string): readonly Node[] => {
  const alpha: Attrs = op === "LeakyRelu" ? { alpha: { f: 0.3 } } : {};
  return op === "Prelu"
    ? [floats("alpha", [5]), node("y", op, [of, "alpha"], { attrs: { T: float } })]
    : [node("y", op, [of], { attrs: { T: float, ...alpha } })];
};

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

/** A layer norm of `x` as Keras 3 writes it, up to `norm`. */
const layerNorm: readonly Node[] = [
  constantNode("axes", integers(2)),
  constantNode("epsilon", scalar(0.001)),
  floats("gamma", [1, 1, 3], 0.5, 1.5),
  floats("beta", [1, 1, 3]),
  node("mean", "Mean", ["x", "axes"], { attrs: { T: float, keep_dims: { b: true } } }),
  node("square", "SquaredDifference", ["x", "mean"], { attrs: { T: float } }),
  node("variance", "Mean", ["square", "axes"], { attrs: { T: float, keep_dims: { b: true } } }),
  node("sum", "AddV2", ["variance", "epsilon"], { attrs: { T: float } }),
  node("root", "Rsqrt", ["sum"], { attrs: { T: float } }),
  node("s", "Mul", ["root", "gamma"], { attrs: { T: float } }),
];
const normOps = "Mean SquaredDifference Mean AddV2 Rsqrt Sub Mul";
const shift = {
  "with −μ": [
    node("negative", "Neg", ["mean"], { attrs: { T: float } }),
    node("shift", "Mul", ["negative", "s"], { attrs: { T: float } }),
    node("offset", "AddV2", ["shift", "beta"], { attrs: { T: float } }),
  ],
  "with β − μ·s": [
    node("shift", "Mul", ["mean", "s"], { attrs: { T: float } }),
    node("offset", "Sub", ["beta", "shift"], { attrs: { T: float } }),
  ],
};
const normalised = (nodes: readonly Node[], name: string): readonly Node[] => [
  sequence,
  ...layerNorm,
  ...nodes,
  node("scaled", "Mul", ["x", "s"], { attrs: { T: float } }),
  node(name, "AddV2", ["scaled", "offset"], { attrs: { T: float } }),
];
const denseAfter = (of: string, name: string): readonly Node[] => [
  constantNode("rows", integers(-1, 3)),
  constantNode("batch", integers(2, 4, 5)),
  node("flat", "Reshape", [of, "rows"], { attrs: { T: float } }),
  floats("w", [3, 5]),
  node("product", "MatMul", ["flat", "w"], { attrs: { T: float } }),
  node("whole", "Reshape", ["product", "batch"], { attrs: { T: float } }),
  ...biased("whole", name),
];
const gelu = (half: readonly Node[], gate: readonly Node[], reference = gate) => {
  const product = [...normalised(shift["with −μ"], "norm"), ...denseAfter("norm", "h"), ...half];
  const end = [
    node("y0", "Mul", ["half", "gate"], { attrs: { T: float } }),
    constantNode("rows2", integers(-1, 5)),
    node("flat2", "Reshape", ["y0", "rows2"], { attrs: { T: float } }),
    floats("w2", [5, 2]),
    node("y", "MatMul", ["flat2", "w2"], { attrs: { T: float } }),
  ];
  return { nodes: [...product, ...gate, ...end], reference: [...product, ...reference, ...end] };
};
const half = [constantNode("point5", scalar(0.5)), node("half", "Mul", ["point5", "h"], { attrs: { T: float } })];
const root = constantNode("root2", scalar(Math.SQRT1_2));
const erf = [
  root,
  constantNode("one", scalar(1)),
  node("z", "Mul", ["h", "root2"], { attrs: { T: float } }),
  node("erf", "Erf", ["z"], { attrs: { T: float } }),
  node("gate", "AddV2", ["one", "erf"], { attrs: { T: float } }),
];
const erfc = [
  root,
  node("minus", "Neg", ["h"], { attrs: { T: float } }),
  node("z", "Mul", ["minus", "root2"], { attrs: { T: float } }),
  node("gate", "Erfc", ["z"], { attrs: { T: float } }),
];
const geluOps = `${normOps} Reshape _FusedMatMul Reshape Erf AddV2 Mul Reshape MatMul`;
const transformers: readonly Case[] = [
  ...Object.entries(shift).map(([title, nodes]) => ({
    title: `a layer norm ${title}: its scale and shift in one node`,
    nodes: normalised(nodes, "y"),
    ops: ops(`${normOps} FusedBatchNormV3`),
  })),
  { title: "a layer norm, a Dense layer and GELU with erf", ...gelu(half, erf), ops: ops(geluOps) },
  { title: "the same with erfc, as TensorFlow 2.21 writes it", ...gelu(half, erfc, erf), ops: ops(geluOps) },
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

const constant = (title: string, made: readonly Node[]): Case => ({
  title,
  nodes: [input([4, 5]), ...made, node("y", "Mul", ["x", "row"], { attrs: { T: float } })],
  ops: ["Mul"],
});
const axis = (at: number) => constantNode("axis", { ...integers(at), shape: [] });
const constants: readonly Case[] = [
  constant("Split", [
    floats("a", [1, 15]),
    axis(1),
    node("parts", "Split", ["axis", "a"], { attrs: { T: float, num_split: { i: 3n } } }),
    node("row", "Sub", ["parts:1", "parts:2"], { attrs: { T: float } }),
  ]),
  constant("SplitV of more than is computed at once", [
    floats("a", [1000, 10]),
    axis(1),
    constantNode("sizes", integers(2, 5, -1)),
    node("parts", "SplitV", ["a", "sizes", "axis"], { attrs: { T: float, num_split: { i: 3n } } }),
    constantNode("begin", integers(996, 0)),
    constantNode("size", integers(4, 5)),
    node("row", "Slice", ["parts:1", "begin", "size"], { attrs: { T: float } }),
  ]),
  constant("Unpack and Pack", [
    floats("a", [5, 4]),
    node("parts", "Unpack", ["a"], { attrs: { T: float, axis: { i: 1n }, num: { i: 4n } } }),
    node("row", "Pack", ["parts:3", "parts", "parts:1", "parts"], {
      attrs: { T: float, axis: { i: 0n }, N: { i: 4n } },
    }),
  ]),
  constant("ConcatV2 of more than is computed at once", [
    floats("a", [4, 2000]),
    floats("b", [4, 5]),
    axis(-1),
    node("long", "ConcatV2", ["a", "b", "axis"], { attrs: { T: float, N: { i: 2n } } }),
    constantNode("begin", integers(0, 2000)),
    constantNode("size", integers(-1, 5)),
    node("row", "Slice", ["long", "begin", "size"], { attrs: { T: float } }),
  ]),
  constant("GatherV2", [
    floats("a", [3, 5]),
    axis(0),
    constantNode("places", integers(2, 0, 0, 1)),
    node("row", "GatherV2", ["a", "places", "axis"], { attrs: { Tparams: float } }),
  ]),
  constant("GatherV2 of every other row", [
    floats("a", [9, 5]),
    axis(0),
    constantNode("places", integers(1, 3, 5, 7)),
    node("row", "GatherV2", ["a", "places", "axis"], { attrs: { Tparams: float } }),
  ]),
  constant("StridedSlice", [
    floats("a", [9, 12]),
    constantNode("begin", integers(-1, 1)),
    constantNode("end", integers(0, 11)),
    constantNode("strides", integers(-2, 2)),
    node("row", "StridedSlice", ["a", "begin", "end", "strides"], { attrs: { T: float } }),
  ]),
  constant("ReverseV2 and Tile", [
    floats("a", [2, 5]),
    constantNode("axes", integers(0, -1)),
    constantNode("times", integers(2, 1)),
    node("reversed", "ReverseV2", ["a", "axes"], { attrs: { T: float } }),
    node("row", "Tile", ["reversed", "times"], { attrs: { T: float } }),
  ]),
];

/** A block of ResNet50, whose batch norms are written as Keras 3 does, and the beginning and the end of the network. */
function residualNetwork(): Case {
  const nodes: Node[] = [image];
  const convolve = (name: string, of: string, shape: readonly number[], padding: string, stride = 1): string => {
    const out = shape.at(-1) ?? 0;
    nodes.push(
      floats(`${name}/w`, shape),
      floats(`${name}/b`, [out]),
      floats(`${name}/k`, [1, 1, 1, out], 0.5, 1.5),
      floats(`${name}/c`, [1, 1, 1, out]),
      node(`${name}/conv`, "Conv2D", [of, `${name}/w`], { attrs: sliding(padding, stride) }),
      node(`${name}/biased`, "BiasAdd", [`${name}/conv`, `${name}/b`], { attrs: { T: float } }),
      node(`${name}/mul`, "Mul", [`${name}/biased`, `${name}/k`], { attrs: { T: float } }),
      node(name, "AddV2", [`${name}/mul`, `${name}/c`], { attrs: { T: float } }),
    );
    return name;
  };
  const relu = (of: string): string => {
    nodes.push(node(`${of}/relu`, "Relu", [of], { attrs: { T: float } }));
    return `${of}/relu`;
  };
  nodes.push(
    constantNode("paddings", { ...integers(0, 0, 3, 3, 3, 3, 0, 0), shape: [4, 2] }),
    node("padded", "Pad", ["x", "paddings"], { attrs: { T: float } }),
  );
  const start = relu(convolve("stem", "padded", [7, 7, 3, 4], "VALID", 2));
  let of = start;
  for (const block of ["first", "second"]) {
    const narrow = relu(convolve(`${block}/1`, of, [1, 1, block === "first" ? 4 : 8, 4], "VALID"));
    const middle = relu(convolve(`${block}/2`, narrow, [3, 3, 4, 4], "SAME"));
    const wide = convolve(`${block}/3`, middle, [1, 1, 4, 8], "VALID");
    const aside = block === "first" ? convolve(`${block}/0`, of, [1, 1, 4, 8], "VALID") : of;
    nodes.push(node(`${block}/sum`, "AddV2", [aside, wide], { attrs: { T: float } }));
    of = relu(`${block}/sum`);
  }
  nodes.push(constantNode("axes", integers(1, 2)), node("y", "Mean", [of, "axes"], { attrs: { T: float } }));
  const [convolution, block] = ["_FusedConv2D", "_FusedConv2D _FusedConv2D _FusedConv2D"];
  return {
    title: "a residual network: nothing but its sums, and the Relu after each, stands beside the convolutions",
    nodes,
    ops: ops(`${convolution} ${block} ${convolution} AddV2 Relu ${block} AddV2 Relu Mean`),
  };
}

describe.each<[string, readonly Case[]]>([
  ["batch norms after a filter are folded", batchNormsAfter],
  ["batch norms before a filter are folded", batchNormsBefore],
  ["activations are fused", [...fused, ...unbiased]],
  ["shapes don't keep ops apart", shapes],
  ["what transformers have", transformers],
  ["groups", groups],
  ["what is used elsewhere is left", residual],
  ["constants are computed", constants],
  ["networks", [residualNetwork()]],
])("the optimiser: %s", (_, cases) => {
  test.each(cases)("$title", async ({ nodes, ops: expected, reference = nodes }) => {
    const given = graph(nodes, ["y"]);
    const optimised = passes.reduce((current, pass) => pass(current), given);
    const left = [...optimised.nodes.values()].map(({ op }) => op);
    expect(left.filter((op) => op !== "Const" && op !== "Placeholder").sort()).toEqual([...expected].sort());
    const [port] = given.inputs;
    const shape = (port?.shape ?? []).map((size) => size ?? 1);
    const count = shape.reduce((product, size) => product * size, 1);
    const x = { dtype: "float32", shape, data: Float32Array.from(numbers("x", count, -3, 3)) } as const;
    const wanted = await runGraph(restoreDefaultAttrs(graph(reference, ["y"])), { x });
    expectClose(await runGraph(optimised, { x }), wanted);
  });
});
