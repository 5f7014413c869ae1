import { expect, test } from "vitest";
import { body, call, graph, node } from "../../testing/tiny-graph.ts";
import type { Node } from "../graph/graph.ts";
import { restoredVariables } from "./restored-variables.ts";

function strings(name: string, ...values: readonly string[]): Node {
  const data = values.map((value) => new TextEncoder().encode(value));
  return node(name, "Const", [], { value: { kind: "literal", dtype: "DT_STRING", shape: [values.length], data } });
}

test("restoredVariables follows TensorFlow 1's restore op", () => {
  const main = graph(
    [
      node("w", "VariableV2"),
      node("b", "VarHandleOp"),
      node("prefix", "Placeholder"),
      strings("names", "model/b", "model/w"),
      strings("slices", "", "4 3 0,2:0,3"),
      node("RestoreV2", "RestoreV2", ["prefix", "names", "slices"]),
      node("Assign", "Assign", ["w", "RestoreV2:1"]),
      node("Identity", "Identity", ["RestoreV2:0"]),
      node("AssignVariableOp", "AssignVariableOp", ["b", "Identity"]),
      node("restore_all", "NoOp", ["^Assign", "^AssignVariableOp"]),
    ],
    [],
  );
  expect(Object.fromEntries(restoredVariables(main, "restore_all"))).toEqual({
    w: { key: "model/w", slice: { starts: [0, 0], lengths: [2, 3] } },
    b: { key: "model/b", slice: null },
  });
});

test("restoredVariables follows TensorFlow 2's restore function", () => {
  const restore = body(
    [
      node("prefix", "Placeholder"),
      node("handle", "Placeholder"),
      strings("names", "w/.ATTRIBUTES/VARIABLE_VALUE"),
      strings("slices", ""),
      node("RestoreV2", "RestoreV2", ["prefix", "names", "slices"]),
      node("Identity", "Identity", ["RestoreV2"]),
      node("AssignVariableOp", "AssignVariableOp", ["handle", "Identity"]),
      node("done", "Identity", ["prefix", "^AssignVariableOp"]),
    ],
    ["done"],
    ["AssignVariableOp"],
  );
  const main = graph(
    [
      node("w", "VarHandleOp"),
      node("prefix", "Placeholder"),
      call("restore", "__inference__traced_restore_3", ["prefix", "w"]),
    ],
    [],
    { __inference__traced_restore_3: restore },
  );
  expect(Object.fromEntries(restoredVariables(main, "restore"))).toEqual({
    w: { key: "w/.ATTRIBUTES/VARIABLE_VALUE", slice: null },
  });
});

test("restoredVariables is empty without a restore op", () => {
  expect(restoredVariables(graph([node("w", "VarHandleOp")], []), "").size).toBe(0);
});
