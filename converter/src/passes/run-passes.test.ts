import { expect, test } from "vitest";
import { body, call, constantNode, filled, graph, node, scalar, stored } from "../../testing/tiny-graph.ts";
import type { Pass } from "../graph/graph.ts";
import { passes, passName } from "./index.ts";
import { runPasses } from "./run-passes.ts";

test("every pass has a name", () => {
  expect(passes.filter((pass) => passName(pass) === "")).toEqual([]);
});

test("runPasses gives each pass the nodes of graph and functions in order, loops from their merges on", () => {
  const inner = body([node("c", "Neg", ["b"]), node("b", "Exp", ["a"]), node("a", "Placeholder")], ["c"]);
  const ring = [
    node("exit", "Exit", ["switch"]),
    node("next", "NextIteration", ["switch:1"]),
    node("switch", "Switch", ["merge", "x"]),
    node("merge", "Merge", ["enter", "next"]),
    node("enter", "Enter", ["y"]),
  ];
  const before = graph([...ring, call("y", "inner", ["x"]), node("x", "Placeholder")], ["exit"], { inner });
  const seen: string[][] = [];
  const look: Pass = (graph) => {
    for (const { nodes } of [graph, ...graph.functions.values()]) seen.push([...nodes.keys()]);
    return graph;
  };
  runPasses(before, [look]);
  expect(seen).toEqual([
    ["x", "y", "enter", "merge", "switch", "exit", "next"],
    ["a", "b", "c"],
  ]);
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

test("a pass hands back a graph in which it finds nothing to do", () => {
  const { graph: optimised } = runPasses(twoLayers(), passes);
  const changing = passes.filter((pass) => pass(optimised) !== optimised).map(passName);
  expect(changing).toEqual([]);
});

/** exp(y · w) with y = relu(x · w), and a variable that is read. */
function twoLayers() {
  const type = { type: "DT_FLOAT" } as const;
  const x = node("x", "Placeholder", [], { attrs: { dtype: type, shape: { shape: [null, 2] } } });
  const weights = constantNode("w", filled(0.5, [2, 2]));
  const variable = node("v", "VarHandleOp", [], {
    attrs: { dtype: type, shape: { shape: [2] } },
    value: stored("v", [2]),
  });
  const nodes = [
    ...[x, weights, variable, node("read", "ReadVariableOp", ["v"])],
    node("product", "MatMul", ["x", "w"], { attrs: { T: type } }),
    node("biased", "BiasAdd", ["product", "read"], { attrs: { T: type } }),
    node("y", "Relu", ["biased"], { attrs: { T: type } }),
    node("second", "MatMul", ["y", "w"], { attrs: { T: type } }),
    node("z", "Exp", ["second"], { attrs: { T: type } }),
  ];
  return graph(nodes, ["z"]);
}
