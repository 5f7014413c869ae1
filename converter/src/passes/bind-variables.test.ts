import { describe, expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { graph, node, stored } from "../../testing/tiny-graph.ts";
import { bindVariables } from "./bind-variables.ts";

const x = node("x", "Placeholder");

describe("bindVariables", () => {
  test("names a captured variable's constant after the read", () => {
    const nodes = [
      x,
      node("unknown", "VarHandleOp", [], { value: stored("w") }),
      node("mul/Read", "ReadVariableOp", ["unknown"]),
      node("y", "Mul", ["x", "mul/Read"]),
    ];
    const after = bindVariables(graph(nodes, ["y"]));
    expect(after.nodes.get("mul/Read")).toMatchObject({ op: "Const", inputs: [], value: stored("w") });
    expect(evaluate(after, { x: 2 }, { w: 5 })).toEqual({ y: 10 });
  });

  test("names a TensorFlow 1 variable's constant after the variable", () => {
    const nodes = [
      x,
      node("w", "VarHandleOp", [], { value: stored("w") }),
      node("w/Read", "ReadVariableOp", ["w"]),
      node("y", "Mul", ["x", "w/Read"]),
    ];
    const after = bindVariables(graph(nodes, ["y"]));
    expect(after.nodes.get("w")?.op).toBe("Const");
    expect(after.nodes.get("w/Read")?.op).toBe("Identity");
    expect(evaluate(after, { x: 2 }, { w: 5 })).toEqual({ y: 10 });
  });

  test("makes a constant of a reference variable", () => {
    const nodes = [
      x,
      node("w", "VariableV2", [], { value: stored("w") }),
      node("w/read", "Identity", ["w"]),
      node("y", "Mul", ["x", "w/read"]),
    ];
    expect(evaluate(bindVariables(graph(nodes, ["y"])), { x: 2 }, { w: 5 })).toEqual({ y: 10 });
  });

  test("gathers from the constant along the axis after the batch dimensions", () => {
    const gather = node("y", "ResourceGather", ["unknown", "x"], { attrs: { batch_dims: { i: 1n } } });
    const after = bindVariables(graph([x, node("unknown", "VarHandleOp", [], { value: stored("w") }), gather], ["y"]));
    const axis = after.nodes.get("y/axis")?.value;
    expect(after.nodes.get("y")?.op).toBe("GatherV2");
    expect(after.nodes.get("y")?.inputs.map((input) => input.node)).toEqual(["unknown", "x", "y/axis"]);
    expect(axis?.kind === "literal" && axis.data).toEqual(new Uint8Array(Int32Array.of(1).buffer));
  });

  test.each(["AssignVariableOp", "AssignAddVariableOp", "While"])("leaves a variable alone that %s takes", (op) => {
    const nodes = [
      x,
      node("w", "VarHandleOp", [], { value: stored("w") }),
      node("other", op, ["w", "x"]),
      node("y", "ReadVariableOp", ["w", "^other"]),
    ];
    const before = graph(nodes, ["y"]);
    expect(bindVariables(before)).toEqual(before);
  });
});
