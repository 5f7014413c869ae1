import { describe, expect, test } from "vitest";
import { graph, node, scalar } from "../../testing/tiny-graph.ts";
import type { Node } from "../graph/graph.ts";
import { explainUnfused } from "./explain-unfused.ts";

const x = node("x", "Placeholder");
const w = node("w", "Const", [], { value: scalar(1) });
const conv = node("conv", "Conv2D", ["x", "w"]);
const explain = (nodes: readonly Node[], outputs: readonly string[]) =>
  explainUnfused(graph([x, w, ...nodes], outputs)).map(({ op, reason }) => `${op}: ${reason}`);

describe("explainUnfused", () => {
  test.each([
    ["a convolution that is an output", [conv], ["conv"], ["Conv2D: its result is an output of the model"]],
    [
      "a sum of two branches",
      [conv, node("sum", "AddV2", ["conv", "x"]), node("y", "Relu", ["sum"])],
      ["y"],
      ["Conv2D: the AddV2 that follows adds no constant", "Relu: it follows AddV2, which no fused op ends with"],
    ],
    [
      "a result that several take",
      [conv, node("gate", "Sigmoid", ["conv"]), node("y", "Mul", ["conv", "gate"])],
      ["y"],
      [
        "Conv2D: its result is taken by 2 nodes (Mul, Sigmoid)",
        "Sigmoid: the result before it is taken by 2 nodes (Mul, Sigmoid)",
      ],
    ],
    [
      "a batch norm before any weights",
      [node("y", "FusedBatchNormV3", ["x", "w", "w", "w", "w"])],
      ["y"],
      ["FusedBatchNormV3: it is applied to an input"],
    ],
    [
      "scaling after an activation",
      [node("fused", "_FusedConv2D", ["x", "w"]), node("y", "Mul", ["fused", "w"])],
      ["y"],
      ["Mul: it follows a _FusedConv2D with an activation, which comes first"],
    ],
    [
      "channels that come first",
      [
        { ...conv, attrs: { data_format: { s: new TextEncoder().encode("NCHW") } } },
        node("y", "BiasAdd", ["conv", "w"]),
      ],
      ["y"],
      ["Conv2D: its channels come first", "BiasAdd: its channels come first"],
    ],
  ] as const)("tells of %s", (_, nodes, outputs, expected) => {
    expect(explain(nodes, outputs)).toEqual(expected);
  });

  test("has nothing to say of fused nodes and of the sum of two tensors", () => {
    const nodes = [node("fused", "_FusedConv2D", ["x", "w"]), node("y", "AddV2", ["fused", "x"])];
    expect(explain(nodes, ["y"])).toEqual([]);
  });
});
