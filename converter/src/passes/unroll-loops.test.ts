import { describe, expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { body, graph, int32, loop, node } from "../../testing/tiny-graph.ts";
import { unrollLoops } from "./unroll-loops.ts";

/** `for (i = 0; i < limit; i += 1) x = x · x` */
const rounds = body(
  [
    node("i", "Placeholder"),
    node("x", "Placeholder"),
    node("one", "Const", [], { value: int32(1) }),
    node("next", "AddV2", ["i", "one"]),
    node("square", "Mul", ["x", "x"]),
  ],
  ["next", "square"],
);
const below = (limit: number) =>
  body(
    [
      node("i", "Placeholder"),
      node("x", "Placeholder"),
      node("limit", "Const", [], { value: int32(limit) }),
      node("goesOn", "Less", ["i", "limit"]),
    ],
    ["goesOn"],
  );
const squares = (limit: number) =>
  graph(
    [
      node("x", "Placeholder"),
      node("zero", "Const", [], { value: int32(0) }),
      loop("while", ["zero", "x"], { cond: "below", body: "rounds" }),
      node("y", "Identity", ["while:1"]),
    ],
    ["y"],
    { below: below(limit), rounds },
  );

describe("unrollLoops", () => {
  test.each([
    [0, 3],
    [1, 9],
    [3, 6561],
  ])("writes out a loop of %i rounds", (limit, expected) => {
    const after = unrollLoops(squares(limit));
    expect([...after.nodes.values()].map(({ op }) => op)).not.toContain("StatelessWhile");
    expect(evaluate(after, { x: 3 })).toEqual({ y: expected });
  });

  test("leaves a loop of very many rounds as it is", () => {
    const before = squares(2 ** 31 - 1);
    expect(unrollLoops(before)).toEqual(before);
  });

  test("leaves a loop as it is whose end depends on an input", () => {
    const nodes = [
      node("x", "Placeholder"),
      node("n", "Placeholder"),
      loop("while", ["n", "x"], { cond: "below", body: "rounds" }),
    ];
    const before = graph(nodes, ["while:1"], { below: below(3), rounds });
    expect(unrollLoops(before)).toEqual(before);
  });

  test("takes the branch that is always taken", () => {
    const cond = node("y", "If", ["yes", "x"], {
      attrs: {
        then_branch: { func: { name: "twice", attrs: {} } },
        else_branch: { func: { name: "missing", attrs: {} } },
      },
    });
    const yes = node("yes", "Const", [], { value: int32(1) });
    const twice = body([node("a", "Placeholder"), node("sum", "AddV2", ["a", "a"])], ["sum"]);
    const after = unrollLoops(graph([node("x", "Placeholder"), yes, cond], ["y"], { twice }));
    expect(evaluate(after, { x: 3 })).toEqual({ y: 6 });
  });

  test("gives up on loops within themselves", () => {
    const again = body(
      [...rounds.nodes.values(), loop("inner", ["zero", "square"], { cond: "below", body: "rounds" })].concat(
        node("zero", "Const", [], { value: int32(0) }),
      ),
      ["next", "inner:1"],
    );
    const before = squares(2);
    const functions = new Map([...before.functions, ["rounds", again]]);
    expect(unrollLoops({ ...before, functions }).nodes.size).toBeLessThan(20_000);
  });
});
