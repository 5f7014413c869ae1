import { describe, expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { body, graph, int32, node } from "../../testing/tiny-graph.ts";
import { nestCases } from "./nest-cases.ts";
import { unrollLoops } from "./unroll-loops.ts";

const times = (factor: number) =>
  body(
    [
      node("a", "Placeholder"),
      node("factor", "Const", [], { value: int32(factor) }),
      node("product", "Mul", ["a", "factor"]),
    ],
    ["product"],
  );
const choice = (index: number, count: number) => {
  const functions = Object.fromEntries([10, 20, 30].slice(0, count).map((factor) => [`times${factor}`, times(factor)]));
  const func = Object.keys(functions).map((name) => ({ name, attrs: {} }));
  const nodes = [
    node("x", "Placeholder"),
    node("index", "Const", [], { value: int32(index) }),
    node("y", "Case", ["index", "x"], { attrs: { branches: { list: { func } } } }),
  ];
  return graph(nodes, ["y"], functions);
};

describe("nestCases", () => {
  test.each([
    [0, 2, 20],
    [1, 2, 40],
    [0, 3, 20],
    [1, 3, 40],
    [2, 3, 60],
    [-1, 3, 60],
    [9, 3, 60],
  ])("takes function %i of %i", (index, count, expected) => {
    const after = nestCases(choice(index, count));
    expect(after.nodes.get("y")?.op).toBe("StatelessIf");
    expect(evaluate(unrollLoops(after), { x: 2 })).toEqual({ y: expected }); // its predicates are known here
  });

  test("takes a choice within a choice", () => {
    const inner = choice(1, 3);
    const func = ["outer", "outer"].map((name) => ({ name, attrs: {} }));
    const outer = { ...inner, nodes: new Map(inner.nodes) };
    const nodes = [
      node("x", "Placeholder"),
      node("index", "Const", [], { value: int32(0) }),
      node("y", "Case", ["index", "x"], { attrs: { branches: { list: { func } } } }),
    ];
    const before = graph(nodes, ["y"], { ...Object.fromEntries(inner.functions), outer });
    expect(evaluate(unrollLoops(nestCases(before)), { x: 2 })).toEqual({ y: 40 });
  });

  test("gives up on a choice of itself", () => {
    const func = ["again", "again"].map((name) => ({ name, attrs: {} }));
    const again = body(
      [node("a", "Placeholder"), node("y", "Case", ["a", "a"], { attrs: { branches: { list: { func } } } })],
      ["y"],
    );
    const before = graph([...again.nodes.values()], ["y"], { again });
    expect(nestCases(before).functions.size).toBeLessThan(20_000);
  });

  test("leaves a choice alone whose functions aren't all there", () => {
    const before = choice(0, 3);
    const functions = new Map([...before.functions].slice(1));
    expect(nestCases({ ...before, functions }).nodes).toEqual(before.nodes);
  });
});
