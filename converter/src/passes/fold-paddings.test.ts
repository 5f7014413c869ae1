import { describe, expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { constantNode, filled, graph, integers, node, scalar, text } from "../../testing/tiny-graph.ts";
import { integersAttr, textAttr } from "../graph/attr-values.ts";
import type { Attrs, Node } from "../graph/graph.ts";
import { foldPaddings } from "./fold-paddings.ts";

const paddings = (...amounts: readonly number[]) =>
  constantNode("paddings", { ...integers(...amounts), shape: [4, 2] });
const spatial = paddings(0, 0, 0, 1, 2, 3, 0, 0);
const pad = node("pad", "Pad", ["x", "paddings"]);
const conv = (attrs: Attrs = {}, op = "Conv2D") =>
  node("y", op, ["pad", "filter"], { attrs: { padding: text("VALID"), ...attrs } });

function fold(nodes: readonly Node[], outputs: readonly string[] = ["y"]) {
  const filter = constantNode("filter", filled(3, [1, 1, 1, 1]));
  const before = graph([node("x", "Placeholder"), filter, ...nodes], outputs);
  const after = foldPaddings(before);
  expect(evaluate(after, { x: 2 })).toEqual(evaluate(before, { x: 2 }));
  return after;
}

describe("foldPaddings", () => {
  test.each(["Conv2D", "DepthwiseConv2dNative"])("makes padding with zeros the own of a %s", (op) => {
    const after = fold([spatial, pad, conv({}, op)]);
    const y = after.nodes.get("y");
    expect(after.nodes.has("pad")).toBe(false);
    expect(y && textAttr(y, "padding")).toBe("EXPLICIT");
    expect(y && integersAttr(y, "explicit_paddings")).toEqual([0, 0, 0, 1, 2, 3, 0, 0]);
  });

  const seven = constantNode("seven", scalar(7));
  test.each<[string, readonly Node[], (readonly string[])?]>([
    ["padding around the channels", [paddings(0, 0, 1, 1, 1, 1, 0, 1), pad, conv()]],
    ["padding with something else", [spatial, seven, node("pad", "PadV2", ["x", "paddings", "seven"]), conv()]],
    ["padding that something else takes too", [spatial, pad, conv()], ["y", "pad"]],
    ["a convolution that pads by itself", [spatial, pad, conv({ padding: text("SAME") })]],
    ["a convolution of NCHW", [spatial, pad, conv({ data_format: text("NCHW") })]],
  ])("leaves %s alone", (_, nodes, outputs) => {
    expect(fold(nodes, outputs).nodes.has("pad")).toBe(true);
  });
});
