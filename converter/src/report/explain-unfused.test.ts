import { expect, test } from "vitest";
import { constantNode, filled, graph, integers, node, text } from "../../testing/tiny-graph.ts";
import type { Node } from "../graph/graph.ts";
import { explainUnfused } from "./explain-unfused.ts";

const x = node("x", "Placeholder", [], { attrs: { shape: { shape: [null, 4, 4, 2] } } });
const w = constantNode("w", filled(1, [3, 3, 2, 2]));
const conv = node("conv", "Conv2D", ["x", "w"], { attrs: { padding: text("SAME") } });
const k = constantNode("k", filled(2, [2]));
const fusedOps = { list: { s: ["BiasAdd", "Relu"].map((op) => new TextEncoder().encode(op)) } };

test.each<[string, string, readonly Node[], string]>([
  ["a convolution", "conv", [conv, node("y", "Tanh", ["conv"])], "it has no bias, and Tanh"],
  ["a convolution taken twice", "conv", [conv, node("y", "Mul", ["conv", "z"]), node("z", "Exp", ["conv"])], "2 nodes"],
  ["an activation of a sum", "y", [conv, node("s", "AddV2", ["conv", "x"]), node("y", "Relu", ["s"])], "two branches"],
  ["a scale of an input", "y", [k, node("y", "Mul", ["x", "k"])], "it follows Placeholder, and it is one of"],
  [
    "a batch norm before padding",
    "s",
    [
      k,
      node("s", "FusedBatchNormV3", ["x", "k", "k", "k", "k"]),
      {
        ...conv,
        inputs: [
          { node: "s", output: 0 },
          { node: "w", output: 0 },
        ],
      },
      node("y", "Neg", ["conv"]),
    ],
    "the zeros around the input of Conv2D",
  ],
  [
    "a gate of its own input",
    "g",
    [{ ...conv, op: "_FusedConv2D" }, node("g", "Sigmoid", ["conv"]), node("y", "Mul", ["conv", "g"])],
    "x·sigmoid(x)",
  ],
  [
    "a second activation",
    "y",
    [{ ...conv, op: "_FusedConv2D", attrs: { fused_ops: fusedOps } }, node("y", "Elu", ["conv"])],
    "has an activation already",
  ],
  [
    "a padding before a pool",
    "p",
    [constantNode("paddings", integers(0)), node("p", "Pad", ["x", "paddings"]), node("y", "MaxPool", ["p"])],
    "takes no paddings",
  ],
])("explainUnfused says why %s stands alone", (_, name, nodes, reason) => {
  const found = explainUnfused(graph([x, w, ...nodes], ["y"]));
  expect(found.find((each) => each.nodes.includes(name))?.reason).toContain(reason);
});

test("explainUnfused has nothing to say of what is fused", () => {
  const fused = { ...conv, name: "y", op: "_FusedConv2D", attrs: { fused_ops: fusedOps } };
  expect(explainUnfused(graph([x, w, fused], ["y"]))).toEqual([]);
});

test("takes time in proportion to the nodes that stay unfused for the same reason", { timeout: 10_000 }, () => {
  const chain = Array.from({ length: 40_000 }, (_, at) =>
    node(`relu_${at}`, "Relu", [at === 0 ? "x" : `relu_${at - 1}`]),
  );
  const [first, second, ...others] = explainUnfused(graph([x, ...chain], ["relu_39999"]));
  expect([first?.nodes, second?.nodes.length, others]).toEqual([["relu_0"], 39_999, []]);
});
