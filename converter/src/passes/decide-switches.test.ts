import { describe, expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { graph, int32, node, scalar } from "../../testing/tiny-graph.ts";
import { decideSwitches } from "./decide-switches.ts";

/** `if predicate then x + x else 5`; the constant hangs on its side by a control edge alone, as TensorFlow writes it. */
const cond = (predicate: number) =>
  graph(
    [
      node("x", "Placeholder"),
      node("p", "Const", [], { value: int32(predicate) }),
      node("pivot", "Switch", ["p", "p"]),
      node("pivot_f", "Identity", ["pivot"]),
      node("switch", "Switch", ["x", "p"]),
      node("sum", "AddV2", ["switch:1", "switch:1"]),
      node("five", "Const", ["^pivot_f"], { value: scalar(5) }),
      node("y", "Merge", ["five", "sum"]),
    ],
    ["y"],
  );

describe("decideSwitches", () => {
  test.each([
    [1, 6],
    [0, 5],
  ])("takes the side that is always taken (predicate %i)", (predicate, expected) => {
    const after = decideSwitches(cond(predicate));
    expect(after.nodes.get("y")?.op).toBe("Identity");
    expect(evaluate(after, { x: 3 })).toEqual({ y: expected });
  });

  test("takes what an input has as its default, where nothing feeds it", () => {
    const before = cond(1);
    const nodes = new Map(before.nodes);
    nodes.set("given", node("given", "Const", [], { value: int32(1) }));
    nodes.set("p", node("p", "PlaceholderWithDefault", ["given"]));
    expect(evaluate(decideSwitches({ ...before, nodes }), { x: 3 })).toEqual({ y: 6 });
  });

  test("leaves a branch on an input as it is", () => {
    const before = cond(1);
    const nodes = new Map(before.nodes).set("p", node("p", "Placeholder"));
    expect(decideSwitches({ ...before, nodes })).toEqual({ ...before, nodes });
  });
});
