import { expect, test } from "vitest";
import { graph, node } from "../../testing/tiny-graph.ts";
import { mapNodes, replaceNodes } from "./map-nodes.ts";

const before = graph([node("x", "Placeholder"), node("y", "Neg", ["x"]), node("z", "Exp", ["y"])], ["z"]);

test("mapNodes and replaceNodes hand back a graph of which nothing changes", () => {
  expect(mapNodes(before, (each) => each)).toBe(before);
  expect(replaceNodes(before, () => undefined)).toBe(before);
});

test("mapNodes keeps the order, and the nodes that stay", () => {
  const after = mapNodes(before, (each) => (each.op === "Neg" ? { ...each, op: "Abs" } : each));
  expect([...after.nodes.values()].map(({ name, op }) => `${name} ${op}`)).toEqual(["x Placeholder", "y Abs", "z Exp"]);
  expect(after.nodes.get("z")).toBe(before.nodes.get("z"));
});

test("replaceNodes puts several nodes where one was", () => {
  const after = replaceNodes(before, (each) => (each.op === "Neg" ? [node("half", "Abs", ["x"]), each] : undefined));
  expect([...after.nodes.keys()]).toEqual(["x", "half", "y", "z"]);
});
