import { describe, expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { constantNode, filled, graph, node } from "../../testing/tiny-graph.ts";
import type { Node } from "../graph/graph.ts";
import { moveReshapes } from "./move-reshapes.ts";

const x = node("x", "Placeholder");
const filter = constantNode("filter", filled(3, [1, 1, 1, 1]));
const bias = constantNode("bias", filled(-1, [1]));
const conv = node("conv", "Conv2D", ["x", "filter"]);
const squeeze = (...axes: readonly number[]) =>
  node("squeeze", "Squeeze", ["conv"], { attrs: { squeeze_dims: { list: { i: axes.map(BigInt) } } } });
const biased = node("biased", "BiasAdd", ["squeeze", "bias"]);
const y = node("y", "Relu", ["biased"]);

function move(nodes: readonly Node[], outputs: readonly string[] = ["y"]) {
  const before = graph([x, filter, bias, ...nodes], outputs);
  const after = moveReshapes(before);
  for (const fed of [2, -3]) expect(evaluate(after, { x: fed })).toEqual(evaluate(before, { x: fed }));
  return [...after.nodes.values()].map(({ op }) => op).filter((op) => op !== "Const");
}

describe("moveReshapes", () => {
  test("puts a bias and an activation before the squeeze of a Conv1D", () => {
    const expected = ["Placeholder", "Conv2D", "BiasAdd", "Relu", "Squeeze"];
    expect(move([conv, squeeze(1), biased, y])).toEqual(expected);
    expect(move([conv, squeeze(-3), biased, y])).toEqual(expected);
  });

  test.each<[string, readonly Node[], (readonly string[])?]>([
    ["a squeeze of the channels", [conv, squeeze(3), biased, y]],
    ["a squeeze of whatever has one element", [conv, squeeze(), biased, y]],
    ["a squeeze that is an output", [conv, squeeze(1), biased, y], ["y", "squeeze"]],
    ["a squeeze of something else", [node("conv", "Neg", ["x"]), squeeze(1), biased, y]],
    ["the sum of two branches", [conv, squeeze(1), node("biased", "AddV2", ["squeeze", "x"]), y]],
  ])("leaves %s alone", (_, nodes, outputs) => {
    expect(move(nodes, outputs).indexOf("Squeeze")).toBe(2);
  });
});
