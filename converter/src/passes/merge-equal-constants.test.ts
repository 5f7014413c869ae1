import { describe, expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { graph, node, scalar, stored } from "../../testing/tiny-graph.ts";
import { compute } from "../graph/compute.ts";
import { mergeEqualConstants } from "./merge-equal-constants.ts";

describe("mergeEqualConstants", () => {
  test("keeps the first of constants with the same value", () => {
    const nodes = [
      node("x", "Placeholder"),
      node("two", "Const", [], { value: scalar(2) }),
      node("also_two", "Const", [], { value: scalar(2) }),
      node("three", "Const", [], { value: scalar(3) }),
      node("a", "Mul", ["x", "two"]),
      node("b", "Mul", ["a", "also_two"]),
      node("y", "Mul", ["b", "three"]),
    ];
    const after = mergeEqualConstants(graph(nodes, ["y"]));
    expect([...after.nodes.keys()]).toEqual(["x", "two", "three", "a", "b", "y"]);
    expect(evaluate(after, { x: 5 })).toEqual({ y: 60 });
  });

  test("merges what lies at the same place of the checkpoint, and nothing else", () => {
    const nodes = [
      node("a", "Const", [], { value: stored("w") }),
      node("b", "Const", [], { value: stored("w") }),
      node("c", "Const", [], { value: stored("v") }),
      node("d", "Const", [], { value: { ...stored("w", [2]), slice: { starts: [0], lengths: [2] } } }),
      node("y", "AddN", ["a", "b", "c", "d"]),
    ];
    const after = mergeEqualConstants(graph(nodes, ["y"]));
    expect(after.nodes.get("y")?.inputs.map((input) => input.node)).toEqual(["a", "a", "c", "d"]);
  });

  test("merges what is computed alike of the same values", () => {
    const double = (key: string) => compute("Mul", stored(key), scalar(2));
    const nodes = [double("w"), double("w"), double("v"), compute("Add", stored("w"), scalar(2))].map((value, index) =>
      node(`c${index}`, "Const", [], value && { value }),
    );
    const after = mergeEqualConstants(graph([...nodes, node("y", "AddN", ["c0", "c1", "c2", "c3"])], ["y"]));
    expect(after.nodes.get("y")?.inputs.map((input) => input.node)).toEqual(["c0", "c0", "c2", "c3"]);
  });

  test("keeps a constant that is an output", () => {
    const nodes = [node("a", "Const", [], { value: scalar(1) }), node("b", "Const", [], { value: scalar(1) })];
    expect(evaluate(mergeEqualConstants(graph(nodes, ["a", "b"])), {})).toEqual({ a: 1, b: 1 });
  });
});
