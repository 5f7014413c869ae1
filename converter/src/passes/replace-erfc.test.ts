import { expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { graph, node } from "../../testing/tiny-graph.ts";
import { replaceErfc } from "./replace-erfc.ts";

test("replaceErfc writes erfc as one minus erf", () => {
  const before = graph([node("x", "Placeholder"), node("y", "Erfc", ["x"])], ["y"]);
  const after = replaceErfc(before);
  expect([...after.nodes.values()].map(({ op }) => op).sort()).toEqual(["Const", "Erf", "Placeholder", "Sub"]);
  for (const x of [-1, 0, 0.7]) expect(evaluate(after, { x }).y).toBeCloseTo(evaluate(before, { x }).y ?? Number.NaN);
});

test("replaceErfc leaves other dtypes alone", () => {
  const y = node("y", "Erfc", ["x"], { attrs: { T: { type: "DT_DOUBLE" } } });
  expect(replaceErfc(graph([node("x", "Placeholder"), y], ["y"])).nodes.get("y")).toEqual(y);
});
