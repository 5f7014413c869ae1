import { expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { body, constantNode, graph, int32, loop, node, scalar, stored } from "../../testing/tiny-graph.ts";
import type { Body, Graph, Node, Port } from "../graph/graph.ts";
import { threadState } from "./thread-state.ts";
import { unrollLoops } from "./unroll-loops.ts";

const variable = (name: string, op = "VarHandleOp") =>
  node(name, op, [], { attrs: { dtype: { type: "DT_FLOAT" }, shape: { shape: [] } }, value: stored(name) });
const one = constantNode("one", scalar(1));

/** What the graph returns, and what its variables hold afterwards, by their names. */
function run(before: Graph, feeds: Readonly<Record<string, number>>) {
  return evaluate(threadState(before), feeds);
}

/** A function's input that is a handle. */
function withHandle(each: Body, name: string): Body {
  const inputs = each.inputs.map((port): Port => (port.key === name ? { ...port, dtype: "DT_RESOURCE" } : port));
  return { ...each, inputs };
}

function branch(name: string, inputs: readonly string[], taken = "then", otherwise = "else"): Node {
  const functions = {
    then_branch: { func: { name: taken, attrs: {} } },
    else_branch: { func: { name: otherwise, attrs: {} } },
  };
  return node(name, "If", inputs, { attrs: { ...functions, Tout: { list: { type: ["DT_FLOAT"] } } } });
}

test("threadState gives a read what the last write before it wrote", () => {
  const nodes = [
    variable("v"),
    one,
    node("before", "ReadVariableOp", ["v"]),
    node("add", "AssignAddVariableOp", ["v", "one", "^before"]),
    node("after", "ReadVariableOp", ["v", "^add"]),
    node("double", "AddV2", ["after", "after"]),
    node("write", "AssignVariableOp", ["v", "double"]),
    node("end", "ReadVariableOp", ["v", "^write"]),
  ];
  expect(run(graph(nodes, ["before", "after", "end"]), { v: 5 })).toEqual({ before: 5, after: 6, end: 12, v: 12 });
});

test("threadState makes the variable's value in the checkpoint its first one", () => {
  const nodes = [variable("v"), one, node("add", "AssignAddVariableOp", ["v", "one"])];
  const { inputs, outputs } = threadState({ ...graph(nodes, []), controls: ["add"] });
  expect(inputs).toMatchObject([{ key: "v", dtype: "DT_FLOAT", shape: [], initial: stored("v") }]);
  expect(outputs).toMatchObject([{ key: "v", tensor: { node: "add" } }]);
});

test("threadState takes nodes with one shared name for the same variable", () => {
  const shared = (name: string): Node => {
    const node = variable(name);
    return { ...node, attrs: { ...node.attrs, shared_name: { s: new TextEncoder().encode("v") } } };
  };
  const nodes = [
    shared("first"),
    shared("second"),
    one,
    node("add", "AssignAddVariableOp", ["first", "one"]),
    node("read", "ReadVariableOp", ["second", "^add"]),
  ];
  expect(run(graph(nodes, ["read"]), { first: 2 })).toEqual({ read: 3, v: 3 });
});

test("threadState leaves variables that are only read as they are", () => {
  const before = graph([variable("v"), node("read", "ReadVariableOp", ["v"])], ["read"]);
  expect(threadState(before)).toBe(before);
});

test("threadState refuses a write that no edge orders against another use, and names the variable", () => {
  const nodes = [
    variable("v"),
    one,
    node("add", "AssignAddVariableOp", ["v", "one"]),
    node("read", "ReadVariableOp", ["v"]),
  ];
  const unordered = { ...graph(nodes, ["read"]), controls: ["add"] };
  expect(() => threadState(unordered)).toThrow(expect.objectContaining({ code: "unsupported" }));
  expect(() => threadState(unordered)).toThrow(/variable "v": nothing says which comes first, "add" and "read"/);
});

test("threadState reads a reference variable when its value is used, as TensorFlow does, not when its Identity runs", () => {
  const nodes = [
    variable("v", "VariableV2"),
    one,
    node("v/read", "Identity", ["v"]),
    node("next", "AddV2", ["v/read", "one"]),
    node("assign", "Assign", ["v", "next"]),
    node("y", "AddV2", ["v/read", "one", "^assign"]),
  ];
  expect(run(graph(nodes, ["y", "assign"]), { v: 4 })).toEqual({ y: 6, assign: 5, v: 5 });
});

test("threadState takes a value that is written to a variable it leaves alone for a read", () => {
  const nodes = [
    variable("v", "VariableV2"),
    node("unknown", "VariableV2"),
    one,
    node("add", "AssignAdd", ["v", "one"]),
    node("v/read", "Identity", ["v", "^add"]),
    node("copy", "Assign", ["unknown", "v/read"]),
  ];
  const after = threadState({ ...graph(nodes, ["add"]), controls: ["copy"] });
  expect(after.nodes.get("copy")).toMatchObject({ op: "Assign", inputs: [{ node: "unknown" }, { node: "add" }] });
  expect(after.outputs.at(-1)).toMatchObject({ key: "v", tensor: { node: "add" } });
});

test("threadState refuses a reference variable's value as an output beside a write", () => {
  const nodes = [variable("v", "VariableV2"), one, node("add", "AssignAdd", ["v", "one"])];
  expect(() => threadState(graph(nodes, ["v", "add"]))).toThrow(/"add" and the output "v"/);
});

test("threadState leaves a variable with a use that it doesn't know", () => {
  const nodes = [
    variable("v"),
    one,
    node("add", "AssignAddVariableOp", ["v", "one"]),
    node("odd", "ResourceCountUpTo", ["v", "^add"]),
  ];
  const before = graph(nodes, ["odd"]);
  expect(threadState(before)).toBe(before);
});

test("threadState hands values into a branch and what it wrote out", () => {
  const p = node("p", "Placeholder");
  const handle = node("h", "Placeholder");
  const change = [
    handle,
    constantNode("ten", scalar(10)),
    node("set", "AssignVariableOp", ["h", "ten"]),
    node("read", "ReadVariableOp", ["h", "^set"]),
  ];
  const keep = [handle, node("read", "ReadVariableOp", ["h"])];
  const nodes = [variable("v"), p, branch("if", ["p", "v"]), node("after", "ReadVariableOp", ["v", "^if"])];
  const after = threadState(
    graph(nodes, ["if", "after"], {
      // biome-ignore lint/suspicious/noThenProperty: a branch's function may be named so
      then: withHandle(body(change, ["read"], ["set"]), "h"),
      else: withHandle(body(keep, ["read"]), "h"),
    }),
  );
  const [then, otherwise] = [...after.functions.values()].slice(2);
  const asGraph = (each: Body | undefined): Graph => ({ ...(each ?? after), functions: new Map() });
  expect(evaluate(asGraph(then), { h: 5 })).toEqual({ read: 10, v: 10 });
  expect(evaluate(asGraph(otherwise), { h: 5 })).toEqual({ read: 5, v: 5 });
  expect(after.nodes.get("if")?.inputs).toEqual([
    { node: "p", output: 0 },
    { node: "v", output: 0 },
  ]);
  expect(after.nodes.get("after")?.inputs).toEqual([{ node: "if", output: 1 }]);
});

test("threadState hands values into a loop, round by round, and out of it", () => {
  const inputs = [node("i", "Placeholder"), node("h", "Placeholder")];
  const round = [...inputs, one, node("next", "AddV2", ["i", "one"]), node("add", "AssignAddVariableOp", ["h", "i"])];
  const condition = [...inputs, constantNode("three", int32(3)), node("less", "Less", ["i", "three"])];
  const nodes = [
    variable("v"),
    node("start", "Placeholder"),
    loop("while", ["start", "v"], { cond: "condition", body: "round" }),
    node("after", "ReadVariableOp", ["v", "^while"]),
  ];
  const roundBody = body(round, ["next", "h"], ["add"]);
  const after = threadState(
    graph(nodes, ["after"], {
      condition: withHandle(body(condition, ["less"]), "h"),
      round: withHandle(
        {
          ...roundBody,
          outputs: roundBody.outputs.map((port) => (port.key === "h" ? { ...port, dtype: "DT_RESOURCE" } : port)),
        },
        "h",
      ),
    }),
  );
  const own = [...after.functions.values()].at(-1);
  expect(own && evaluate({ ...own, functions: new Map() }, { i: 2, h: 5 })).toEqual({ next: 3, h: 7 });
  expect(after.nodes.get("after")?.inputs).toEqual([{ node: "while", output: 1 }]);
  expect(after.outputs.at(-1)).toMatchObject({ key: "v", tensor: { node: "while", output: 1 } });
});

test("threadState finds the rounds of a loop that was written out in order", () => {
  const inputs = [node("i", "Placeholder"), node("h", "Placeholder")];
  const step = constantNode("step", int32(1));
  const round = [
    ...inputs,
    step,
    node("next", "AddV2", ["i", "step"]),
    constantNode("two", scalar(2)),
    node("read", "ReadVariableOp", ["h"]),
    node("double", "Mul", ["read", "two"]),
    node("write", "AssignVariableOp", ["h", "double"]),
  ];
  const condition = [...inputs, constantNode("three", int32(3)), node("less", "Less", ["i", "three"])];
  const nodes = [
    variable("v"),
    constantNode("start", int32(0)),
    loop("while", ["start", "v"], { cond: "condition", body: "round" }),
    node("after", "ReadVariableOp", ["v", "^while"]),
  ];
  const functions = { condition: body(condition, ["less"]), round: body(round, ["next", "h"], ["write"]) };
  expect(run(unrollLoops(graph(nodes, ["after"], functions)), { v: 5 })).toEqual({ after: 40, v: 40 });
});

/** A function that hands a variable on to a branch, both of whose functions are `next`. */
function storey(next: string): Body {
  const nodes = [node("p", "Placeholder"), node("h", "Placeholder"), branch("b", ["p", "p", "h"], next, next)];
  return withHandle(body(nodes, ["b"]), "h");
}

test("threadState makes one function for all who hand it the same variables, however deep they call each other", () => {
  const height = 30;
  const add = [
    node("p", "Placeholder"),
    node("h", "Placeholder"),
    one,
    node("add", "AssignAddVariableOp", ["h", "one"]),
    node("read", "ReadVariableOp", ["h", "^add"]),
  ];
  const storeys = Array.from({ length: height }, (_, at) => [`f${at}`, storey(`f${at + 1}`)] as const);
  const functions = { ...Object.fromEntries(storeys), [`f${height}`]: withHandle(body(add, ["read"]), "h") };
  const nodes = [variable("v"), node("p", "Placeholder"), branch("y", ["p", "p", "v"], "f0", "f0")];
  expect(threadState(graph(nodes, ["y"], functions)).functions.size).toBe(2 * (height + 1));
});

test("threadState refuses a function that hands a variable to itself", () => {
  const nodes = [
    variable("v"),
    one,
    node("add", "AssignAddVariableOp", ["v", "one"]),
    node("p", "Placeholder"),
    branch("y", ["p", "p", "v", "^add"], "f", "f"),
  ];
  expect(() => threadState(graph(nodes, ["y"], { f: storey("f") }))).toThrow(/recursive functions can't be converted/);
});

test("threadState follows a variable that is written to thousands of times", () => {
  const count = 5000;
  const writes = Array.from({ length: count }, (_, at) =>
    node(`add_${at}`, "AssignAddVariableOp", ["v", "one", ...(at === 0 ? [] : [`^add_${at - 1}`])]),
  );
  const nodes = [variable("v"), one, ...writes, node("y", "ReadVariableOp", ["v", `^add_${count - 1}`])];
  expect(threadState(graph(nodes, ["y"])).nodes.get("y")?.inputs).toEqual([{ node: `add_${count - 1}`, output: 0 }]);
  const open = [...nodes.slice(0, -1), node("y", "ReadVariableOp", ["v", `^add_${count - 2}`])];
  expect(() => threadState(graph(open, ["y"]))).toThrow(/which comes first/);
});
