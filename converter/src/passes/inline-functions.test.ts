import { describe, expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { body, call, graph, node, scalar } from "../../testing/tiny-graph.ts";
import { inlineFunctions } from "./inline-functions.ts";

const double = body([node("a", "Placeholder"), node("sum", "AddV2", ["a", "a"])], ["sum"]);

describe("inlineFunctions", () => {
  test("puts a function's nodes in the place of its calls, named after the call", () => {
    const before = graph([node("x", "Placeholder"), call("f", "double", ["x"]), call("g", "double", ["f"])], ["g"], {
      double,
    });
    const after = inlineFunctions(before);
    expect([...after.nodes.keys()]).toEqual(["x", "f/sum", "g/sum"]);
    expect(Object.values(evaluate(after, { x: 3 }))).toEqual(Object.values(evaluate(before, { x: 3 })));
    expect([...before.nodes.keys()]).toEqual(["x", "f", "g"]);
  });

  test("inlines calls within functions", () => {
    const quadruple = body(
      [node("a", "Placeholder"), call("once", "double", ["a"]), call("twice", "double", ["once"])],
      ["twice"],
    );
    const after = inlineFunctions(
      graph([node("x", "Placeholder"), call("f", "quadruple", ["x"])], ["f"], { double, quadruple }),
    );
    expect([...after.nodes.keys()]).toEqual(["x", "f/once/sum", "f/twice/sum"]);
    expect(evaluate(after, { x: 3 })).toEqual({ f: 12 });
  });

  test("connects second outputs, and results that are arguments", () => {
    const swap = body([node("a", "Placeholder"), node("b", "Placeholder")], ["b", "a"]);
    const before = graph(
      [
        node("x", "Placeholder"),
        node("one", "Const", [], { value: scalar(1) }),
        call("f", "swap", ["x", "one"]),
        node("y", "Mul", ["f:1", "f:1"]),
      ],
      ["y"],
      { swap },
    );
    expect(evaluate(inlineFunctions(before), { x: 5 })).toEqual({ y: 25 });
  });

  test("calls a TensorFlow 1 function by its name, with the attributes it is given", () => {
    const cast = body(
      [node("a", "Placeholder"), node("cast", "Cast", ["a"], { attrs: { DstT: { placeholder: "T" } } })],
      ["cast"],
    );
    const f = node("f", "my_cast", ["x"], { attrs: { T: { type: "DT_INT32" } } });
    const after = inlineFunctions(graph([node("x", "Placeholder"), f], ["f"], { my_cast: cast }));
    expect(after.nodes.get("f/cast")?.attrs).toEqual({ DstT: { type: "DT_INT32" } });
  });

  test("keeps the order of effects", () => {
    const effect = body(
      [node("assign", "AssignVariableOp"), node("read", "ReadVariableOp", ["^assign"])],
      ["read"],
      ["assign"],
    );
    const before = graph([node("start", "NoOp"), call("f", "effect", ["^start"]), node("end", "NoOp", ["^f"])], [], {
      effect,
    });
    const after = inlineFunctions(before);
    expect(after.nodes.get("f/assign")?.controls).toEqual(["start"]);
    expect(after.nodes.get("end")?.controls).toEqual(["f/assign", "f/read"]);
  });

  test("finds another name where one is taken", () => {
    const nodes = [node("x", "Placeholder"), call("f", "double", ["x"]), node("f/sum", "Mul", ["f", "x"])];
    expect(evaluate(inlineFunctions(graph(nodes, ["f/sum"], { double })), { x: 3 })).toEqual({ "f/sum": 18 });
  });

  test("refuses functions that call themselves", () => {
    const forever = body([node("a", "Placeholder"), call("again", "forever", ["a"])], ["again"]);
    const before = graph([node("x", "Placeholder"), call("f", "forever", ["x"])], ["f"], { forever });
    expect(() => inlineFunctions(before)).toThrow(expect.objectContaining({ code: "unsupported" }));
  });

  test("refuses functions that become many times what the graph holds", () => {
    const storeys = Array.from({ length: 30 }, (_, at) => {
      const calls = [call("b", `f${at + 1}`, ["a"]), call("c", `f${at + 1}`, ["b"])];
      return [`f${at}`, body([node("a", "Placeholder"), ...calls], ["c"])] as const;
    });
    const before = graph([node("x", "Placeholder"), call("f", "f0", ["x"])], ["f"], {
      ...Object.fromEntries(storeys),
      f30: double,
    });
    expect(() => inlineFunctions(before)).toThrow(/more than 20000 nodes/);
  });
});
