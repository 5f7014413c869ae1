import type { Node } from "../../converter/src/graph/graph.ts";
import { constantNode, integers, node, scalar, text } from "../../converter/testing/tiny-graph.ts";
import { biased, type Case, float, floats, image, input, ops, sliding, testCases } from "./tiny-cases.ts";

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
const sequence = input([2, 4, 3]);
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
const geluOps = `${normOps} Reshape _FusedMatMul Erf AddV2 Mul MatMul`;
const transformers: readonly Case[] = [
  ...Object.entries(shift).map(([title, nodes]) => ({
    title: `a layer norm ${title}: its scale and shift in one node`,
    nodes: normalised(nodes, "y"),
    ops: ops(`${normOps} FusedBatchNormV3`),
  })),
  { title: "a layer norm, a Dense layer and GELU with erf", ...gelu(half, erf), ops: ops(geluOps) },
  { title: "the same with erfc, as TensorFlow 2.21 writes it", ...gelu(half, erfc, erf), ops: ops(geluOps) },
  {
    title: "a Dense layer per head: an einsum and a bias over two axes",
    nodes: [
      sequence,
      floats("w", [3, 2, 4]),
      node("product", "Einsum", ["x", "w"], { attrs: { T: float, equation: text("abc,cde->abde"), N: { i: 2n } } }),
      floats("b", [2, 4]),
      node("biased", "AddV2", ["product", "b"], { attrs: { T: float } }),
      floats("w2", [2, 4, 3]),
      node("y", "Einsum", ["biased", "w2"], { attrs: { T: float, equation: text("abde,dec->abc"), N: { i: 2n } } }),
    ],
    ops: ops("Reshape _FusedMatMul MatMul Reshape"),
  },
  {
    title: "hard swish before a convolution, which takes its sixth",
    nodes: [
      image,
      constantNode("three", scalar(3)),
      constantNode("sixth", scalar(1 / 6)),
      node("shifted", "AddV2", ["x", "three"], { attrs: { T: float } }),
      node("gate", "Relu6", ["shifted"], { attrs: { T: float } }),
      node("scaled", "Mul", ["gate", "sixth"], { attrs: { T: float } }),
      node("swish", "Mul", ["x", "scaled"], { attrs: { T: float } }),
      floats("w", [3, 3, 3, 5]),
      node("y", "Conv2D", ["swish", "w"], { attrs: sliding("SAME") }),
    ],
    ops: ops("AddV2 Relu6 Mul Conv2D"),
  },
];

testCases("what transformers are made of", transformers);
