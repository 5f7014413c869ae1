import { describe, expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { constantNode, filled, graph, node } from "../../testing/tiny-graph.ts";
import type { Node } from "../graph/graph.ts";
import { formPrelu } from "./form-prelu.ts";

const x = node("x", "Placeholder", [], { attrs: { shape: { shape: [null, 1] } } });
const branches = [
  node("positive", "Relu", ["x"]),
  node("minus", "Neg", ["x"]),
  node("negative", "Relu", ["minus"]),
  node("scaled", "Mul", ["c", "negative"]),
];
const c = constantNode("c", filled(-0.25, [1]));
const y = node("y", "AddV2", ["positive", "scaled"]);

function form(nodes: readonly Node[], outputs: readonly string[] = ["y"]) {
  const before = graph(nodes, outputs);
  const after = formPrelu(before);
  for (const fed of [2, -3]) expect(evaluate(after, { x: fed })).toEqual(evaluate(before, { x: fed }));
  return after.nodes.get("y")?.op;
}

describe("formPrelu", () => {
  test("makes one node of the two branches, in either order", () => {
    expect(form([x, c, ...branches, y])).toBe("Prelu");
    expect(form([x, c, ...branches, node("y", "Add", ["scaled", "positive"])])).toBe("Prelu");
  });

  test.each<[string, readonly Node[], (readonly string[])?]>([
    ["a branch that is an output", [x, c, ...branches, y], ["y", "negative"]],
    ["branches of different tensors", [x, c, ...branches.with(0, node("positive", "Relu", ["c"])), y]],
    ["a number for each element", [x, constantNode("c", filled(-0.25, [2, 1])), ...branches, y]],
    ["a number for each channel of another size", [x, constantNode("c", filled(-0.25, [3])), ...branches, y]],
  ])("leaves %s alone", (_, nodes, outputs) => {
    expect(form(nodes, outputs)).toBe("AddV2");
  });
});
