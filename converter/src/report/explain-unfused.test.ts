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
      ["Conv2D: the AddV2 that follows takes no constant", "Relu: it follows AddV2, which no fused op ends with"],
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
      "a filter that several take",
      [conv, node("y", "FusedBatchNormV3", ["conv", "w", "w", "w", "w"])],
      ["y"],
      [
        "Conv2D: the FusedBatchNormV3 that follows isn't of one number per channel",
        "FusedBatchNormV3: the filter of the Conv2D before it is taken by 2 nodes",
      ],
    ],
    [
      "scaling after an activation",
      [
        node("c", "Const", [], { value: scalar(1) }),
        node("fused", "_FusedConv2D", ["x", "w"]),
        node("y", "Mul", ["fused", "c"]),
      ],
      ["y"],
      ["Mul: it follows a _FusedConv2D that adds or activates first"],
    ],
    [
      "an activation that the kernel can't do",
      [node("conv", "DepthwiseConv2dNative", ["x", "w"]), node("y", "LeakyRelu", ["conv"])],
      ["y"],
      [
        "DepthwiseConv2dNative: TensorFlow.js doesn't read the slope of a depthwise convolution's LeakyRelu",
        "LeakyRelu: TensorFlow.js doesn't read the slope of a depthwise convolution's LeakyRelu",
      ],
    ],
    [
      "a constant that isn't one number per channel",
      [conv, node("c", "Const", [], { value: scalar(1) }), node("y", "AddV2", ["c", "conv"])],
      ["y"],
      [
        "Conv2D: the AddV2 that follows isn't of one number per channel",
        "AddV2: its constant isn't one number per channel of the Conv2D before it",
      ],
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
