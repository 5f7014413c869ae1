import { expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { body, call, graph, node } from "../../testing/tiny-graph.ts";
import { prune } from "./prune.ts";

test("prune drops what no output needs and keeps inputs and controls", () => {
  const nodes = [
    node("x", "Placeholder"),
    node("unused_input", "Placeholder"),
    node("first", "Assert"),
    node("y", "Identity", ["x", "^first"]),
    node("dead", "Mul", ["x", "x"]),
  ];
  const after = prune(graph(nodes, ["y"]));
  expect([...after.nodes.keys()]).toEqual(["x", "unused_input", "first", "y"]);
  expect(evaluate(after, { x: 3 })).toEqual({ y: 3 });
});

test("prune hands back a graph of which everything is needed", () => {
  const inner = body([node("a", "Placeholder")], ["a"]);
  const before = graph([node("x", "Placeholder"), call("y", "inner", ["x"])], ["y"], { inner });
  expect(prune(before)).toBe(before);
  expect(
    prune({
      ...before,
      functions: new Map([
        ["inner", inner],
        ["unused", inner],
      ]),
    }),
  ).not.toBe(before);
});

test("prune takes a node with more inputs than the stack holds", () => {
  const many = node("y", "AddN", new Array<string>(300_000).fill("x"));
  expect(prune(graph([node("x", "Placeholder"), many], ["y"])).nodes.size).toBe(2);
});

test("prune keeps the functions that are called, at any depth", () => {
  const inner = body([node("a", "Placeholder")], ["a"]);
  const outer = body([node("a", "Placeholder"), call("c", "inner", ["a"])], ["c"]);
  const nodes = [node("x", "Placeholder"), call("y", "outer", ["x"])];
  const after = prune(graph(nodes, ["y"], { inner, unused: inner, outer }));
  expect([...after.functions.keys()]).toEqual(["inner", "outer"]);
});

test("prune drops what no output of a function needs", () => {
  const inner = body([node("a", "Placeholder"), node("dead", "Neg", ["a"]), node("b", "Exp", ["a"])], ["b"]);
  const after = prune(graph([node("x", "Placeholder"), call("y", "inner", ["x"])], ["y"], { inner }));
  expect([...(after.functions.get("inner")?.nodes.keys() ?? [])]).toEqual(["a", "b"]);
});
