import { describe, expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { constantNode, filled, graph, integers, node, scalar } from "../../testing/tiny-graph.ts";
import type { LiteralValue, Node } from "../graph/graph.ts";
import { simplify } from "./simplify.ts";

const x = node("x", "Placeholder", [], { attrs: { shape: { shape: [null, 3] } } });

/** What `y` has become. */
function simplified(...nodes: readonly Node[]): Node | undefined {
  const before = graph([x, ...nodes], ["y"]);
  const after = simplify(before);
  expect(evaluate(after, { x: 5 })).toEqual(evaluate(before, { x: 5 }));
  return after.nodes.get("y");
}

describe("simplify", () => {
  test.each<[string, string, LiteralValue]>([
    ["x · 1", "Mul", filled(1, [3])],
    ["x / 1", "RealDiv", scalar(1)],
    ["x + 0", "AddV2", filled(0, [1, 1])],
    ["x − 0", "Sub", scalar(0)],
  ])("leaves out %s", (_, op, value) => {
    expect(simplified(constantNode("c", value), node("y", op, ["x", "c"]))).toMatchObject({
      op: "Identity",
      inputs: [{ node: "x" }],
    });
  });

  test.each<[string, string, readonly string[], LiteralValue]>([
    ["x · 2", "Mul", ["x", "c"], scalar(2)],
    ["1 / x", "RealDiv", ["c", "x"], scalar(1)],
    ["0 − x", "Sub", ["c", "x"], scalar(0)],
    ["what broadcasts x", "Mul", ["x", "c"], filled(1, [2, 1, 3])],
  ])("keeps %s", (_, op, inputs, value) => {
    expect(simplified(constantNode("c", value), node("y", op, inputs))?.op).toBe(op);
  });

  test("leaves out what is undone", () => {
    expect(simplified(node("a", "Neg", ["x"]), node("y", "Neg", ["a"]))?.op).toBe("Identity");
    const [p, q] = [constantNode("p", integers(1, 2, 0)), constantNode("q", integers(2, 0, 1))];
    const turned = node("a", "Transpose", ["x", "p"]);
    expect(simplified(p, q, turned, node("y", "Transpose", ["a", "q"]))?.op).toBe("Identity");
    expect(simplified(p, turned, node("y", "Transpose", ["a", "p"]))?.op).toBe("Transpose");
  });

  test("reshapes once, and not to the shape that is there", () => {
    const [s, t] = [constantNode("s", integers(-1, 1, 3)), constantNode("t", integers(3, -1))];
    const twice = simplified(s, t, node("a", "Reshape", ["x", "s"]), node("y", "Reshape", ["a", "t"]));
    expect(twice).toMatchObject({ op: "Reshape", inputs: [{ node: "x" }, { node: "t" }] });
    expect(simplified(constantNode("s", integers(-1, 3)), node("y", "Reshape", ["x", "s"]))?.op).toBe("Identity");
  });
});
