import { expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { constantNode, graph, node, scalar } from "../../testing/tiny-graph.ts";
import { shareEqualNodes } from "./share-equal-nodes.ts";

const x = node("x", "Placeholder");

test("shareEqualNodes computes once what is computed alike", () => {
  const nodes = [
    x,
    node("a", "Relu", ["x"]),
    node("b", "Relu", ["x"]),
    node("c", "Neg", ["a"]),
    node("d", "Neg", ["b"]),
    node("sum", "AddV2", ["c", "d"]),
  ];
  const before = graph([...nodes, node("y", "Exp", ["sum"])], ["y"]);
  const after = shareEqualNodes(before);
  expect([...after.nodes.keys()]).toEqual(["x", "a", "c", "sum", "y"]);
  expect(evaluate(after, { x: -2 })).toEqual(evaluate(before, { x: -2 }));
});

test("shareEqualNodes keeps other attributes, other inputs, outputs and random numbers apart", () => {
  const leaky = (name: string, alpha: number) => node(name, "LeakyRelu", ["x"], { attrs: { alpha: { f: alpha } } });
  const random = (name: string) => node(name, "RandomUniform", ["two"]);
  const two = constantNode("two", scalar(2));
  const nodes = [x, two, leaky("a", 0.1), leaky("b", 0.2), leaky("c", 0.1), random("d"), random("e")];
  const sum = node("y", "AddN", ["a", "b", "c", "d", "e"]);
  expect([...shareEqualNodes(graph([...nodes, sum], ["y", "c"])).nodes.keys()]).toEqual([
    "x",
    "two",
    "a",
    "b",
    "c",
    "d",
    "e",
    "y",
  ]);
});
