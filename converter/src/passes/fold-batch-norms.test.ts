import { describe, expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { constantNode, filled, graph, node, stored, text } from "../../testing/tiny-graph.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { foldBatchNorms } from "./fold-batch-norms.ts";

const x = node("x", "Placeholder");
const filter = constantNode("filter", filled(3, [1, 1, 1, 1]));
const conv = node("conv", "Conv2D", ["x", "filter"]);
const ops = (after: Graph) => [...after.nodes.values()].map(({ op }) => op).filter((op) => op !== "Const");

/** Folds, and checks that the graph computes the same. */
function fold(nodes: readonly Node[], outputs: readonly string[] = ["y"], values: Record<string, number> = {}): Graph {
  const before = graph(nodes, outputs);
  const after = foldBatchNorms(before);
  for (const fed of [2, -0.5]) {
    const expected = evaluate(before, { x: fed }, values);
    for (const [key, value] of Object.entries(evaluate(after, { x: fed }, values))) {
      expect(value).toBeCloseTo(expected[key] ?? Number.NaN, 4);
    }
  }
  return after;
}

describe("foldBatchNorms", () => {
  test("folds a scale and an offset, as Keras 3 writes batch norms, whatever side they are on", () => {
    const k = constantNode("k", filled(0.5, [1]));
    const c = constantNode("c", filled(4, [1, 1, 1, 1]));
    const after = fold([
      x,
      filter,
      conv,
      k,
      c,
      node("scaled", "Mul", ["k", "conv"]),
      node("y", "AddV2", ["scaled", "c"]),
    ]);
    expect(ops(after)).toEqual(["Placeholder", "Conv2D", "BiasAdd"]);
    expect(after.nodes.get("y")?.op).toBe("BiasAdd");
    expect(after.nodes.get("y/bias")?.value?.shape).toEqual([1]);
  });

  test.each([
    ["Sub", 1.5],
    ["RealDiv", 4],
    ["Add", -1],
  ])("folds %s after a bias", (op, number) => {
    const b = constantNode("b", filled(0.25, [1]));
    const k = constantNode("k", filled(number, []));
    const after = fold([
      x,
      filter,
      conv,
      b,
      k,
      node("biased", "BiasAdd", ["conv", "b"]),
      node("y", op, ["biased", "k"]),
    ]);
    expect(ops(after)).toEqual(["Placeholder", "Conv2D", "BiasAdd"]);
  });

  test("folds FusedBatchNorm, its values read from the checkpoint", () => {
    const values = { gamma: 1.5, beta: 0.5, mean: 0.25, variance: 0.75 };
    const constants = Object.keys(values).map((key) => constantNode(key, stored(key, [1])));
    const attrs = { epsilon: { f: 0.001 }, is_training: { b: false } };
    const y = node("y", "FusedBatchNormV3", ["conv", ...Object.keys(values)], { attrs });
    expect(ops(fold([x, filter, conv, ...constants, y], ["y"], values))).toEqual(["Placeholder", "Conv2D", "BiasAdd"]);
    const training = graph([x, filter, conv, ...constants, { ...y, attrs: { epsilon: { f: 0.001 } } }], ["y"]);
    expect(ops(foldBatchNorms(training))).toContain("FusedBatchNormV3");
  });

  test("scales a depthwise filter per channel and multiplier, a transposed matrix per row", () => {
    const k = constantNode("k", filled(2, [6]));
    const depthwise = constantNode("filter", filled(1, [1, 1, 3, 2]));
    const first = graph(
      [x, depthwise, node("conv", "DepthwiseConv2dNative", ["x", "filter"]), k, node("y", "Mul", ["conv", "k"])],
      ["y"],
    );
    expect(foldBatchNorms(first).nodes.get("y/filter")?.value?.shape).toEqual([1, 1, 3, 2]);
    const matrix = constantNode("filter", filled(1, [6, 4]));
    const product = node("conv", "MatMul", ["x", "filter"], { attrs: { transpose_b: { b: true } } });
    const second = graph([x, matrix, product, k, node("y", "Mul", ["conv", "k"])], ["y"]);
    expect(foldBatchNorms(second).nodes.get("y/filter")?.value?.shape).toEqual([6, 4]);
  });

  const k = constantNode("k", filled(2, [1]));
  const y = node("y", "Mul", ["conv", "k"]);
  test.each<[string, readonly Node[], (readonly string[])?]>([
    ["a convolution that something else takes too", [x, filter, conv, k, y, node("z", "Relu", ["conv"])], ["y", "z"]],
    ["a convolution that is an output", [x, filter, conv, k, y], ["y", "conv"]],
    [
      "a large filter that something else takes too",
      [x, constantNode("filter", filled(3, [65, 65, 1, 1])), conv, k, y, node("z", "Mul", ["x", "filter"])],
      ["y", "z"],
    ],
    ["the sum of two branches", [x, filter, conv, node("y", "AddV2", ["conv", "x"])]],
    ["a value with other axes than the channels'", [x, filter, conv, constantNode("k", filled(2, [1, 5, 1, 1])), y]],
    [
      "a value of more axes than the convolution's",
      [x, filter, conv, constantNode("k", filled(2, [1, 1, 1, 1, 1])), y],
    ],
    ["a convolution of NCHW", [x, filter, { ...conv, attrs: { data_format: text("NCHW") } }, k, y]],
    ["a filter that isn't constant", [x, node("filter", "Relu", ["x"]), conv, k, y]],
  ])("leaves %s alone", (_, nodes, outputs = ["y"]) => {
    const before = graph(nodes, outputs);
    expect(ops(fold(nodes, outputs)).sort()).toEqual(ops(before).sort());
  });
});
