import { expect, test } from "vitest";
import { graph, node } from "../../testing/tiny-graph.ts";
import { restoreDefaultAttrs } from "./restore-default-attrs.ts";

test("restoreDefaultAttrs writes out what TensorFlow left out and keeps what is given", () => {
  const attrs = { dilations: { list: { i: [1n, 2n, 2n, 1n] } } };
  const conv = restoreDefaultAttrs(graph([node("y", "Conv2D", [], { attrs })], ["y"])).nodes.get("y");
  const data_format = { s: new TextEncoder().encode("NHWC") };
  expect(conv?.attrs).toMatchObject({ ...attrs, explicit_paddings: { list: {} }, data_format });
});

test("restoreDefaultAttrs leaves ops alone that it doesn't know", () => {
  const before = graph([node("y", "MyOp")], ["y"]);
  expect(restoreDefaultAttrs(before)).toEqual(before);
});
