import { expect, test } from "vitest";
import { graph, node, scalar } from "../../testing/tiny-graph.ts";
import { listFused } from "./list-fused.ts";

test("listFused tells which ops became one node and which became part of its weights", () => {
  const texts = ["BiasAdd", "Relu"].map((text) => new TextEncoder().encode(text));
  const nodes = [
    node("x", "Placeholder"),
    node("norm/filter", "Const", [], { value: scalar(1) }),
    node("norm/bias", "Const", [], { value: scalar(1) }),
    node("relu", "_FusedConv2D", ["x", "norm/filter", "norm/bias"], { attrs: { fused_ops: { list: { s: texts } } } }),
    node("y", "Exp", ["relu"]),
  ];
  expect(listFused(graph(nodes, ["y"]), new Map([["norm", "FusedBatchNormV3"]]))).toEqual([
    { name: "relu", op: "_FusedConv2D", ops: ["Conv2D", "BiasAdd", "Relu"], folded: ["FusedBatchNormV3"] },
  ]);
});
