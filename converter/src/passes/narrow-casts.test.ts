import { describe, expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { graph, node } from "../../testing/tiny-graph.ts";
import type { DataType } from "../graph/data-type.ts";
import { narrowCasts } from "./narrow-casts.ts";

const x = node("x", "Placeholder");
const castTo = (type: DataType) =>
  narrowCasts(graph([x, node("y", "Cast", ["x"], { attrs: { DstT: { type } } })], ["y"]));

describe("narrowCasts", () => {
  test.each([
    ["DT_UINT8", 300, 44],
    ["DT_UINT8", -1, 255],
    ["DT_INT8", 200, -56],
    ["DT_INT8", -129, 127],
    ["DT_INT16", 40_000, -25_536],
    ["DT_UINT16", 65_537, 1],
    ["DT_INT8", 100, 100],
  ] as const)("to %s makes %d into %d", (type, from, to) => {
    expect(evaluate(castTo(type), { x: from })).toEqual({ y: to });
  });

  test("leaves casts alone that TensorFlow.js can do", () => {
    expect([...castTo("DT_INT32").nodes.keys()]).toEqual(["x", "y"]);
  });
});
