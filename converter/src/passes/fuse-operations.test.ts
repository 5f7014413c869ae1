import { describe, expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { constantNode, filled, graph, node, text } from "../../testing/tiny-graph.ts";
import { textsAttr } from "../graph/attr-values.ts";
import type { Attrs, Graph, Node } from "../graph/graph.ts";
import { fuseOperations } from "./fuse-operations.ts";

const x = node("x", "Placeholder");
const filter = constantNode("filter", filled(3, [1, 1, 1, 1]));
const bias = constantNode("bias", filled(-1, [1]));
const alpha = constantNode("alpha", filled(0.5, [1]));
const conv = (op: string, attrs: Attrs = {}) => node("conv", op, ["x", "filter"], { attrs });
const biased = node("biased", "BiasAdd", ["conv", "bias"]);

/** Fuses, and checks that the graph computes the same. */
function fuse(nodes: readonly Node[], outputs: readonly string[] = ["y"]): Graph {
  const before = graph([x, filter, bias, alpha, ...nodes], outputs);
  const after = fuseOperations(before);
  for (const fed of [2, -0.5]) expect(evaluate(after, { x: fed })).toEqual(evaluate(before, { x: fed }));
  return after;
}

describe("fuseOperations", () => {
  const fusedNames = [
    ["Conv2D", "_FusedConv2D"],
    ["DepthwiseConv2dNative", "FusedDepthwiseConv2dNative"],
    ["MatMul", "_FusedMatMul"],
  ] as const;
  test.each(fusedNames)("makes one node of %s, bias and activation, named after the last", (op, fused) => {
    for (const activation of ["Relu", "Relu6", "Elu", "Sigmoid"]) {
      const y = fuse([conv(op), biased, node("y", activation, ["biased"])]).nodes.get("y");
      expect(y).toMatchObject({ op: fused, attrs: { num_args: { i: 1n } } });
      expect(y?.inputs.map((input) => input.node)).toEqual(["x", "filter", "bias"]);
      expect(y && textsAttr(y, "fused_ops")).toEqual(["BiasAdd", activation]);
    }
  });

  test("fuses a bias alone, and an activation alone", () => {
    const added = fuse([conv("Conv2D"), { ...biased, name: "y" }]).nodes.get("y");
    expect(added && textsAttr(added, "fused_ops")).toEqual(["BiasAdd"]);
    const active = fuse([conv("Conv2D"), node("y", "Relu6", ["conv"])]).nodes.get("y");
    expect(active).toMatchObject({ op: "_FusedConv2D", attrs: { num_args: { i: 0n } } });
    expect(active && textsAttr(active, "fused_ops")).toEqual(["NoOp", "Relu6"]);
  });

  test("fuses no bias that is computed, which TensorFlow.js on wasm may take for one of another rank", () => {
    const squeezed = node("squeezed", "Squeeze", ["bias"]);
    const added = node("y", "BiasAdd", ["conv", "squeezed"]);
    expect(fuse([conv("MatMul"), squeezed, added]).nodes.get("y")?.op).toBe("BiasAdd");
  });

  test("fuses LeakyRelu with its alpha, but not into a depthwise convolution, which can't be told", () => {
    const leaky = node("y", "LeakyRelu", ["biased"], { attrs: { alpha: { f: 0.3 } } });
    const y = fuse([conv("Conv2D"), biased, leaky]).nodes.get("y");
    expect(y).toMatchObject({ op: "_FusedConv2D", attrs: { leakyrelu_alpha: { f: 0.3 } } });
    expect(fuse([conv("DepthwiseConv2dNative"), biased, leaky]).nodes.get("y")?.op).toBe("LeakyRelu");
  });

  test("fuses Prelu with alpha as a second argument, but into a matrix product only after a bias", () => {
    const prelu = (of: string) => node("y", "Prelu", [of, "alpha"]);
    const y = fuse([conv("MatMul"), biased, prelu("biased")]).nodes.get("y");
    expect(y).toMatchObject({ op: "_FusedMatMul", attrs: { num_args: { i: 2n } } });
    expect(fuse([conv("Conv2D"), prelu("conv")]).nodes.get("y")).toMatchObject({ attrs: { num_args: { i: 1n } } });
    expect(fuse([conv("MatMul"), prelu("conv")]).nodes.get("y")?.op).toBe("Prelu");
  });

  test.each<[string, readonly Node[], (readonly string[])?]>([
    ["a convolution that something else takes too", [conv("Conv2D"), biased, node("y", "Mul", ["biased", "conv"])]],
    ["a convolution that is an output", [conv("Conv2D"), { ...biased, name: "y" }], ["y", "conv"]],
    ["a convolution of NCHW", [conv("Conv2D", { data_format: text("NCHW") }), { ...biased, name: "y" }]],
    ["a convolution of float64", [conv("Conv2D", { T: { type: "DT_DOUBLE" } }), { ...biased, name: "y" }]],
    [
      "a transposed matrix product, whose bias wasm forgets",
      [conv("MatMul", { transpose_b: { b: true } }), { ...biased, name: "y" }],
    ],
    ["an activation that can't be fused", [conv("Conv2D"), node("y", "Exp", ["conv"])]],
  ])("leaves %s alone", (_, nodes, outputs) => {
    expect([...fuse(nodes, outputs).nodes.values()].map(({ op }) => op).join()).not.toContain("Fused");
  });
});
