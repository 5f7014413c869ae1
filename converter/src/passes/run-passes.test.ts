import { expect, test } from "vitest";
import { graph, node, scalar } from "../../testing/tiny-graph.ts";
import { passes, passName } from "./index.ts";
import { runPasses } from "./run-passes.ts";

test("every pass has a name", () => {
  expect(passes.filter((pass) => passName(pass) === "")).toEqual([]);
});

test("runPasses records what each pass changed and the ops that names once had", () => {
  const x = node("x", "Placeholder", [], { attrs: { dtype: { type: "DT_FLOAT" } } });
  const unused = node("unused", "Relu", ["x"]);
  const one = node("one", "Const", [], { value: scalar(1) });
  const y = node("y", "Exp", ["one"]);
  const sum = node("sum", "AddV2", ["x", "y"]);
  const { graph: optimised, steps, firstOps } = runPasses(graph([x, unused, one, y, sum], ["sum"]), passes);
  expect([...optimised.nodes.values()].map(({ op }) => op).sort()).toEqual(["AddV2", "Const", "Placeholder"]);
  expect(steps).toEqual([
    { pass: "prune", nodesBefore: 5, nodesAfter: 4, ops: { Relu: -1 } },
    { pass: "foldConstants", nodesBefore: 4, nodesAfter: 3, ops: { Exp: -1 } },
  ]);
  expect([firstOps.get("y"), optimised.nodes.get("y")?.op]).toEqual(["Exp", "Const"]);
});
