import { describe, expect, test } from "vitest";
import { body, int32, node } from "../../testing/tiny-graph.ts";
import type { Node } from "./graph.ts";
import { knownScalars } from "./known-scalar.ts";

const x = node("x", "Placeholder", [], { attrs: { shape: { shape: [null, 7] } } });
const number = (name: string, value: number) => node(name, "Const", [], { value: int32(value) });
const vector = (name: string, ...values: number[]) =>
  node(name, "Const", [], {
    value: {
      kind: "literal",
      dtype: "DT_INT32",
      shape: [values.length],
      data: new Uint8Array(Int32Array.from(values).buffer),
    },
  });
const known = (...nodes: readonly Node[]) => knownScalars(body([x, ...nodes], []))({ node: "y", output: 0 });

describe("knownScalars", () => {
  test.each([
    ["AddV2", 7, 3, 10],
    ["Sub", 7, 3, 4],
    ["FloorDiv", -7, 3, -3],
    ["Less", 7, 3, 0],
    ["GreaterEqual", 7, 7, 1],
    ["Minimum", 7, 3, 3],
    ["FloorDiv", 7, 0, undefined],
    ["Mul", 2 ** 30, 2, undefined],
  ])("computes %s of %i and %i", (op, a, b, expected) => {
    expect(known(number("a", a), number("b", b), node("y", op, ["a", "b"]))).toBe(expected);
  });

  test("tells a conjunction with one side false", () => {
    const isBelow = node("less", "Less", ["a", "a"]);
    expect(known(number("a", 1), isBelow, node("y", "LogicalAnd", ["x", "less"]))).toBe(0);
    expect(known(number("a", 1), isBelow, node("y", "LogicalOr", ["x", "less"]))).toBeUndefined();
  });

  test.each([
    [0, undefined],
    [1, 7],
  ])("tells a dimension that is fixed, through a transposition (%i)", (axis, expected) => {
    const nodes = [
      vector("order", 1, 0),
      vector("begin", 1 - axis),
      node("turned", "Transpose", ["x", "order"]),
      node("shape", "Shape", ["turned"]),
      node("y", "StridedSlice", ["shape", "begin"], { attrs: { shrink_axis_mask: { i: 1n } } }),
    ];
    expect(known(...nodes)).toBe(expected);
  });

  test("gives up on what comes from inputs, rings and casts to truth values", () => {
    expect(known(node("y", "AddV2", ["x", "x"]))).toBeUndefined();
    expect(known(node("y", "AddV2", ["y", "y"]))).toBeUndefined();
    const cast = node("y", "Cast", ["a"], { attrs: { DstT: { type: "DT_BOOL" } } });
    expect(known(number("a", 2), cast)).toBeUndefined();
  });
});
