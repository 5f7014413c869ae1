import { describe, expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { constantNode, graph, int32, node, scalar } from "../../testing/tiny-graph.ts";
import type { Attrs, Graph, Node } from "../graph/graph.ts";
import { raiseControlFlow } from "./raise-control-flow.ts";

const float: Attrs = { T: { type: "DT_FLOAT" } };
const typed = (name: string, op: string, inputs: readonly string[]) => node(name, op, inputs, { attrs: float });
const enter = (name: string, input: string, isConstant = false) =>
  node(name, "Enter", [input], { attrs: { ...float, is_constant: { b: isConstant } } });

/** A loop of this form: while i < limit: i, y = i + 1, y · 2 */
function loop(prefix: string, i: string, y: string, limit: string): readonly Node[] {
  const name = (each: string) => `${prefix}/${each}`;
  return [
    enter(name("Enter"), i),
    enter(name("Enter_1"), y),
    enter(name("limit"), limit, true),
    typed(name("Merge"), "Merge", [name("Enter"), name("NextIteration")]),
    typed(name("Merge_1"), "Merge", [name("Enter_1"), name("NextIteration_1")]),
    node(name("Less"), "Less", [name("Merge"), name("limit")]),
    node(name("LoopCond"), "LoopCond", [name("Less")]),
    typed(name("Switch"), "Switch", [name("Merge"), name("LoopCond")]),
    typed(name("Switch_1"), "Switch", [name("Merge_1"), name("LoopCond")]),
    typed(name("Identity"), "Identity", [`${name("Switch")}:1`]),
    { ...constantNode(name("one"), scalar(1)), controls: [name("Identity")] },
    { ...constantNode(name("two"), scalar(2)), controls: [name("Identity")] },
    typed(name("next"), "AddV2", [name("Identity"), name("one")]),
    typed(name("double"), "Mul", [`${name("Switch_1")}:1`, name("two")]),
    typed(name("NextIteration"), "NextIteration", [name("next")]),
    typed(name("NextIteration_1"), "NextIteration", [name("double")]),
    typed(name("Exit"), "Exit", [`${name("Switch")}:0`]),
    typed(name("Exit_1"), "Exit", [`${name("Switch_1")}:0`]),
  ];
}

/** if predicate then x · 2 else 7, where the constant only waits for its side. */
function branch(prefix: string, predicate: string, x: string): readonly Node[] {
  const name = (each: string) => `${prefix}/${each}`;
  return [
    typed(name("pivot"), "Switch", [predicate, predicate]),
    typed(name("switch_f"), "Identity", [name("pivot")]),
    typed(name("Switch"), "Switch", [x, predicate]),
    typed(name("double"), "AddV2", [`${name("Switch")}:1`, `${name("Switch")}:1`]),
    { ...constantNode(name("seven"), scalar(7)), controls: [name("switch_f")] },
    typed(name("Merge"), "Merge", [name("seven"), name("double")]),
  ];
}

const inputs = [node("x", "Placeholder"), node("p", "Placeholder")];

function countOps({ nodes }: Graph, op: string): number {
  return [...nodes.values()].filter((each) => each.op === op).length;
}

describe("raiseControlFlow", () => {
  test("makes a branch of what is on the two sides of a predicate", () => {
    const after = raiseControlFlow(graph([...inputs, ...branch("a", "p", "x")], ["a/Merge"]));
    expect([...after.nodes.values()].map(({ op }) => op)).toEqual(["Placeholder", "Placeholder", "StatelessIf"]);
    expect(evaluate(after, { x: 3, p: 1 })).toEqual({ "a/Merge": 6 });
    expect(evaluate(after, { x: 3, p: 0 })).toEqual({ "a/Merge": 7 });
  });

  test("says which input a merge took", () => {
    const after = raiseControlFlow(graph([...inputs, ...branch("a", "p", "x")], ["a/Merge", "a/Merge:1"]));
    expect(evaluate(after, { x: 3, p: 1 })).toEqual({ "a/Merge": 6, "a/Merge:1": 1 });
    expect(evaluate(after, { x: 3, p: 0 })).toEqual({ "a/Merge": 7, "a/Merge:1": 0 });
  });

  test("makes one branch of all results that don't need each other", () => {
    const both = [
      ...branch("a", "p", "x"),
      typed("negative", "Neg", ["a/Switch:1"]),
      typed("b", "Merge", ["a/Switch", "negative"]),
      ...branch("c", "p", "b"),
    ];
    const after = raiseControlFlow(graph([...inputs, ...both], ["a/Merge", "b", "c/Merge"]));
    expect(countOps(after, "StatelessIf")).toBe(2);
    expect(evaluate(after, { x: 3, p: 1 })).toEqual({ "a/Merge": 6, b: -3, "c/Merge": -6 });
    expect(evaluate(after, { x: 3, p: 0 })).toEqual({ "a/Merge": 7, b: 3, "c/Merge": 7 });
  });

  test("makes branches within branches, the inner ones first", () => {
    const nested = [
      node("q", "Placeholder"),
      typed("x/Switch", "Switch", ["x", "p"]),
      typed("q/Switch", "Switch", ["q", "p"]),
      ...branch("inner", "q/Switch:1", "x/Switch:1"),
      typed("y", "Merge", ["x/Switch", "inner/Merge"]),
    ];
    const after = raiseControlFlow(graph([...inputs, ...nested], ["y"]));
    expect(countOps(after, "StatelessIf")).toBe(1);
    const results = [
      [1, 1],
      [1, 0],
      [0, 1],
    ].map(([p = 0, q = 0]) => evaluate(after, { x: 3, p, q }).y);
    expect(results).toEqual([6, 7, 3]);
  });

  test("takes the first of tensors that are all there", () => {
    const after = raiseControlFlow(graph([...inputs, typed("y", "Merge", ["x", "p"])], ["y", "y:1"]));
    expect(evaluate(after, { x: 3, p: 1 })).toEqual({ y: 3, "y:1": 0 });
  });

  test("leaves a merge of which it isn't sure when each input is there", () => {
    const nodes = [
      ...inputs,
      node("q", "Placeholder"),
      typed("a", "Switch", ["x", "p"]),
      typed("b", "Switch", ["x", "q"]),
      typed("y", "Merge", ["a:0", "b:1"]),
    ];
    expect(countOps(raiseControlFlow(graph(nodes, ["y"])), "Merge")).toBe(1);
  });

  test.each(["RefSwitch", "_SwitchN"])("leaves a merge after a %s", (op) => {
    const nodes = [...inputs, typed("a", op, ["x", "p"]), typed("y", "Merge", ["a:0", "a:1"])];
    expect(countOps(raiseControlFlow(graph(nodes, ["y"])), "Merge")).toBe(1);
  });

  test("leaves a branch whose write something else waits for, as it would be done twice", () => {
    const nodes = [
      ...inputs,
      node("v", "VarHandleOp"),
      typed("x/Switch", "Switch", ["x", "p"]),
      node("write", "AssignVariableOp", ["v", "x/Switch:1"]),
      typed("written", "Identity", ["x/Switch:1", "^write"]),
      typed("y", "Merge", ["x/Switch", "written"]),
    ];
    const other = typed("other", "Identity", ["x/Switch:1", "^write"]);
    expect(countOps(raiseControlFlow(graph([...nodes, other], ["y", "other"])), "Merge")).toBe(1);
    expect(countOps(raiseControlFlow({ ...graph(nodes, ["y"]), controls: ["write"] }), "Switch")).toBe(0);
  });

  test("makes a loop of a ring", () => {
    const start = constantNode("start", scalar(0));
    const after = raiseControlFlow(graph([...inputs, start, ...loop("l", "start", "x", "p")], ["l/Exit", "l/Exit_1"]));
    expect(countOps(after, "StatelessWhile")).toBe(1);
    expect(countOps(after, "Enter")).toBe(0);
    expect(evaluate(after, { x: 3, p: 4 })).toEqual({ "l/Exit": 4, "l/Exit_1": 48 });
    expect(evaluate(after, { x: 3, p: 0 })).toEqual({ "l/Exit": 0, "l/Exit_1": 3 });
  });

  test("makes a loop within a branch, and a branch after a loop", () => {
    const nodes = [
      ...inputs,
      typed("x/Switch", "Switch", ["x", "p"]),
      typed("p/Switch", "Switch", ["p", "p"]),
      typed("pivot", "Identity", ["p/Switch:1"]),
      { ...constantNode("start", int32(0)), controls: ["pivot"] },
      ...loop("l", "start", "x/Switch:1", "p/Switch:1"),
      typed("y", "Merge", ["x/Switch", "l/Exit_1"]),
      ...branch("b", "y", "y"),
    ];
    const after = raiseControlFlow(graph(nodes, ["y", "b/Merge"]));
    expect([...after.nodes.values()].map(({ op }) => op).filter((op) => /Merge|Switch|Enter/.test(op))).toEqual([]);
    expect(evaluate(after, { x: 3, p: 2 })).toEqual({ y: 12, "b/Merge": 24 });
    expect(evaluate(after, { x: 3, p: 0 })).toEqual({ y: 3, "b/Merge": 6 });
  });
});
