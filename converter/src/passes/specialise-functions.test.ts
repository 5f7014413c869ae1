import { describe, expect, test } from "vitest";
import { body, graph, int32, loop, node, stored } from "../../testing/tiny-graph.ts";
import { specialiseFunctions } from "./specialise-functions.ts";

const x = node("x", "Placeholder");
const w = node("w", "VarHandleOp", [], { value: stored("w") });
const cond = body([node("v", "Placeholder"), node("a", "Placeholder"), node("less", "Less", ["a", "a"])], ["less"]);
const step = body(
  [
    node("v", "Placeholder"),
    node("a", "Placeholder"),
    node("read", "ReadVariableOp", ["v"]),
    node("b", "Mul", ["a", "read"]),
    node("same", "Identity", ["v"]),
  ],
  ["same", "b"],
);

describe("specialiseFunctions", () => {
  test("puts a variable that a loop takes into its functions", () => {
    const nodes = [x, w, loop("f/while", ["w", "x"], { cond: "cond", body: "step" })];
    const after = specialiseFunctions(graph(nodes, ["f/while:1"], { cond, step }));
    expect([...after.functions.keys()]).toEqual(["f_while_cond", "f_while_body"]);
    expect(after.nodes.get("f/while")?.inputs).toEqual([{ node: "x", output: 0 }]);
    expect(after.outputs[0]?.tensor).toEqual({ node: "f/while", output: 0 });
    const inner = after.functions.get("f_while_body");
    expect(inner?.inputs.map(({ tensor }) => tensor.node)).toEqual(["f_while_body/a"]);
    expect(inner?.nodes.get("f_while_body/v")).toMatchObject({ op: "VarHandleOp", value: stored("w") });
    expect(inner?.outputs.map(({ tensor }) => tensor.node)).toEqual(["f_while_body/b"]);
  });

  test("gives each branch functions of its own, and keeps the predicate", () => {
    const branches = {
      then_branch: { func: { name: "same", attrs: {} } },
      else_branch: { func: { name: "same", attrs: {} } },
    };
    const same = body([node("a", "Placeholder")], ["a"]);
    const nodes = [
      x,
      node("one", "Const", [], { value: int32(1) }),
      node("p", "If", ["x", "one"], { attrs: branches }),
      node("q", "If", ["one", "x"], { attrs: branches }),
    ];
    const after = specialiseFunctions(graph(nodes, ["p", "q"], { same }));
    expect([...after.functions.keys()]).toEqual(["p_then_branch", "p_else_branch", "q_then_branch", "q_else_branch"]);
    expect(after.nodes.get("p")).toMatchObject({ op: "StatelessIf", inputs: [{ node: "x", output: 0 }] });
    expect(after.nodes.get("q")?.inputs.map((input) => input.node)).toEqual(["one", "x"]);
  });

  test("refuses a loop whose body is that loop", () => {
    const again = body([node("a", "Placeholder"), loop("while", ["a"], { cond: "again", body: "again" })], ["while"]);
    const before = graph([x, loop("while", ["x"], { cond: "again", body: "again" })], ["while"], { again });
    expect(() => specialiseFunctions(before)).toThrow(expect.objectContaining({ code: "unsupported" }));
  });

  test("refuses a loop without its functions", () => {
    const before = graph([x, loop("while", ["x"], { cond: "cond", body: "missing" })], ["while"], { cond });
    expect(() => specialiseFunctions(before)).toThrow(expect.objectContaining({ code: "data-loss" }));
  });

  test("refuses loops that become many times what the graph holds", () => {
    const loops = Array.from({ length: 40 }, (_, at) => {
      const inner = loop("while", ["a"], { cond: `f${at + 1}`, body: `f${at + 1}` });
      return [`f${at}`, body([node("a", "Placeholder"), inner], ["while"])] as const;
    });
    const before = graph([x, loop("while", ["x"], { cond: "f0", body: "f0" })], ["while"], {
      ...Object.fromEntries(loops),
      f40: body([node("a", "Placeholder")], ["a"]),
    });
    expect(() => specialiseFunctions(before)).toThrow(/too many once each loop and branch has its own/);
  });
});
