import { expect, test } from "vitest";
import { readAttrs } from "../kernels/kernel-attrs.ts";
import type { GraphNode } from "../plan/graph-def.ts";
import type { ElementwiseNode } from "./elementwise-node.ts";
import { groupElementwise } from "./group-elementwise.ts";

function node(name: string, op: string, inputs: readonly string[], attrs: object = {}): GraphNode {
  const refs = inputs.map((input) => ({ node: input, output: 0 }));
  return { name, op, inputs: refs, controls: [], attrs: readAttrs(op, { T: { type: "DT_FLOAT" }, ...attrs }) };
}

/** What becomes of nodes: their names, and of a group the members' as well. */
function grouped(nodes: readonly GraphNode[], wanted: readonly string[]): readonly string[] {
  const outputs = wanted.map((name) => ({ node: name, output: 0 }));
  return groupElementwise(nodes, outputs).map((each) => {
    if (each.op !== "Elementwise") return each.name;
    const { members, inputs } = each as ElementwiseNode;
    return `${each.name}(${inputs.map((input) => input.node)}) = ${members.map(({ name }) => name).join(" ")}`;
  });
}

test("a chain becomes one node that takes what its members take", () => {
  const nodes = [node("a", "AddV2", ["x", "b"]), node("m", "Mul", ["a", "c"]), node("y", "Relu", ["m"])];
  expect(grouped(nodes, ["y"])).toEqual(["y(x,b,c) = a m y"]);
});

test("what two members take is computed once for both", () => {
  const nodes = [node("a", "AddV2", ["x", "b"]), node("s", "Sigmoid", ["a"]), node("y", "Mul", ["a", "s"])];
  expect(grouped(nodes, ["y"])).toEqual(["y(x,b) = a s y"]);
});

test("what something else takes as well, or the caller, stays", () => {
  const nodes = [
    node("a", "AddV2", ["x", "b"]),
    node("r", "Relu", ["a"]),
    node("y", "Neg", ["r"]),
    node("z", "Softmax", ["a"]),
  ];
  expect(grouped(nodes, ["y", "z"])).toEqual(["a", "y(a) = r y", "z"]);
  expect(grouped(nodes, ["r", "y", "z"])).toEqual(["a", "r", "y", "z"]);
});

test("what is taken by two groups stays", () => {
  const nodes = [
    node("a", "AddV2", ["x", "b"]),
    node("r", "Relu", ["a"]),
    node("p", "MatMul", ["r", "w"]),
    node("n", "Neg", ["a"]),
    node("y", "Mul", ["n", "p"]),
  ];
  expect(grouped(nodes, ["y"])).toEqual(["a", "r", "p", "y(a,p) = n y"]);
});

test("a group takes no more than a shader has buffers", () => {
  const sums = Array.from({ length: 9 }, (_, index) => node(`s${index}`, "AddV2", [`s${index - 1}`, `x${index}`]));
  const [first, second] = grouped(sums, ["s8"]);
  expect(first).toBe("s2(s-1,x0,x1,x2) = s0 s1 s2");
  expect(second).toBe("s8(s2,x3,x4,x5,x6,x7,x8) = s3 s4 s5 s6 s7 s8");
});

test.each([
  ["of another dtype", node("a", "AddV2", ["x", "b"], { T: { type: "DT_INT32" } })],
  ["with channels first", node("a", "BiasAdd", ["x", "b"], { data_format: { s: btoa("NCHW") } })],
  ["of a damaged graph, with an input too many", node("a", "AddV2", ["x", "b", "c"])],
  ["that is no op of ours", node("a", "constructor", ["x"])],
])("a node %s is left alone", (_, odd) => {
  expect(grouped([odd, node("y", "Relu", ["a"])], ["y"])).toEqual(["a", "y"]);
});
