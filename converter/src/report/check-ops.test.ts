import { describe, expect, test } from "vitest";
import { body, graph, node, scalar } from "../../testing/tiny-graph.ts";
import type { Node } from "../graph/graph.ts";
import { restoreDefaultAttrs } from "../passes/restore-default-attrs.ts";
import { checkOps } from "./check-ops.ts";

const x = node("x", "Placeholder");
const check = (...nodes: readonly Node[]) => checkOps(restoreDefaultAttrs(graph([x, ...nodes], ["x"])), "signature");

describe("checkOps", () => {
  test("passes a graph that TensorFlow.js can run", () => {
    expect(() => check(node("y", "Relu", ["x"]))).not.toThrow();
  });

  test("lists each op it can't run, how often, where, why, and what to do", () => {
    const nodes = ["a", "b", "c", "d"].map((name) => node(`layer/${name}`, "Erfc", ["x"]));
    const expected = [
      "signature: some of its ops can't be converted.",
      '  4 × Erfc    "layer/a", "layer/b", "layer/c" and 1 more',
      "              TensorFlow.js has no such op",
      expect.stringMatching(/^ {14}→ replace it in the model, .*--skip_op_check/),
      '  1 × PyFunc  "y"',
      "              TensorFlow.js has no such op",
      "              → it runs Python code: write that with TensorFlow's own ops",
    ];
    const refused = refusal(() => check(...nodes, node("y", "PyFunc", ["x"])));
    expect(refused).toMatchObject({ code: "unsupported" });
    expect(refused?.message.split("\n")).toEqual(expected);
  });

  test.each([
    [
      "an attribute that TensorFlow.js ignores",
      node("y", "FusedBatchNormV3", ["x"]),
      "with is_training false only, not true",
    ],
    ["a branch in TensorFlow 1's form", node("y", "Merge", ["x", "x"]), "it isn't sure which of its inputs"],
    ["an array in TensorFlow 1's form", node("y", "TensorArrayReadV3", ["x", "x", "x"]), "this array of TensorFlow 1"],
    ["a table that nothing fills", node("y", "HashTableV2"), "nothing that is constant"],
    ["a lookup in a table from elsewhere", node("y", "LookupTableFindV2", ["x", "x", "x"]), "no table"],
    ["an op that TensorFlow.js gets wrong", node("y", "MatrixBandPart", ["x", "x", "x"]), "num_lower"],
    ["a variable without a value", node("y", "VarHandleOp"), "no value"],
    ["a variable that isn't bound", node("y", "VarHandleOp", [], { value: scalar(1) }), "stay as it is"],
    ["an op that changes state", node("y", "AssignVariableOp", ["x"]), "changes the model's state"],
    ["an order that matters", node("y", "Relu", ["x", "^x"]), "waits for an op"],
  ])("refuses %s", (_, bad, problem) => {
    expect(() => check(bad)).toThrow(problem);
  });

  test("refuses an output that TensorFlow.js doesn't return", () => {
    const nms = node("nms", "NonMaxSuppressionV5", ["x"]);
    expect(() => check(nms, node("y", "Identity", ["nms:2"]))).toThrow("output 2 of NonMaxSuppressionV5");
    expect(() => check(nms, node("y", "Identity", ["nms:1"]))).not.toThrow();
  });

  test("refuses a list within a function", () => {
    const inner = body([node("a", "Placeholder"), node("list", "TensorListPushBack", ["a", "a"])], ["list"]);
    const outer = { ...graph([x], ["x"]), functions: new Map([["f", inner]]) };
    expect(() => checkOps(outer, "signature")).toThrow("loses the elements of a list");
    expect(() => checkOps(outer, "signature")).toThrow('"f: list"');
  });

  test("refuses an input that the signature doesn't name", () => {
    const hidden = graph([x, node("y", "Identity", ["x"])], ["y"]);
    expect(() => checkOps({ ...hidden, inputs: [] }, "signature")).toThrow("an input that the signature doesn't name");
  });
});

function refusal(run: () => void): Error | undefined {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  return undefined;
}
