import { expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { graph, node, scalar } from "../../testing/tiny-graph.ts";
import { separateOutputs } from "./separate-outputs.ts";

test("separateOutputs gives second outputs, shared ones and inputs a node of their own", () => {
  const seven = node("seven", "Const", [], { value: scalar(7) });
  const nodes = [node("x", "Placeholder"), seven, node("divided", "DivMod", ["x", "seven"])];
  const before = graph(nodes, ["divided", "divided:1", "x"]);
  const after = separateOutputs(before);
  expect(after.outputs.map(({ tensor }) => tensor)).toEqual([
    { node: "divided", output: 0 },
    { node: "divided/output_1", output: 0 },
    { node: "x/output_0", output: 0 },
  ]);
  expect(evaluate(after, { x: 17 })).toEqual(evaluate(before, { x: 17 }));
});

test("separateOutputs gives two keys of one tensor a node each", () => {
  const before = graph([node("x", "Placeholder"), node("y", "Identity", ["x"])], ["y"]);
  const [port] = before.outputs;
  const twice = { ...before, outputs: port === undefined ? [] : [port, { ...port, key: "again" }] };
  expect(evaluate(separateOutputs(twice), { x: 1 })).toEqual({ y: 1, again: 1 });
  expect(separateOutputs(twice).nodes.size).toBe(3);
});
