import { expect, test } from "vitest";
import { body, constantNode, graph, int32, loop, node } from "../../testing/tiny-graph.ts";
import type { Node } from "../graph/graph.ts";
import { denseLists } from "./dense-lists.ts";

const sizes = constantNode("sizes", int32(-1));
const lists: readonly Node[] = [
  node("x", "Placeholder"),
  sizes,
  node("list", "TensorListFromTensor", ["x", "sizes"]),
  node("longer", "TensorListPushBack", ["list", "x"]),
  node("y", "TensorListStack", ["longer", "sizes"]),
];
const inBranch = node("y", "StatelessIf", ["x", "x"], {
  attrs: { then_branch: { func: { name: "f", attrs: {} } }, else_branch: { func: { name: "f", attrs: {} } } },
});
const ops = (each: { readonly nodes: ReadonlyMap<string, Node> } | undefined) =>
  [...(each?.nodes.values() ?? [])].map(({ op }) => op);

test("denseLists makes tensors of lists within a branch", () => {
  const after = denseLists(graph([node("x", "Placeholder"), inBranch], ["y"], { f: body(lists, ["y"]) }));
  expect(ops(after.functions.get("f"))).toEqual([
    "Placeholder",
    "Const",
    "Identity",
    "NearsideListPush",
    "NearsideListStack",
  ]);
  expect(after.functions.get("f")?.nodes.get("list")?.inputs).toEqual([{ node: "x", output: 0 }]);
});

test("denseLists begins an empty list with no elements, however many it has room for", () => {
  const empty = [node("x", "Placeholder"), sizes, node("y", "EmptyTensorList", ["sizes", "x"])];
  const after = denseLists(graph([node("x", "Placeholder"), inBranch], ["y"], { f: body(empty, ["y"]) }));
  const list = after.functions.get("f")?.nodes.get("y");
  expect(list?.op).toBe("NearsideListReserve");
  expect(after.functions.get("f")?.nodes.get(list?.inputs[1]?.node ?? "")?.value).toMatchObject(int32(0));
});

test("denseLists leaves the lists of a loop alone, which TensorFlow.js keeps", () => {
  const round = body(lists, ["y"]);
  const before = graph([node("x", "Placeholder"), loop("y", ["x"], { cond: "f", body: "f" })], ["y"], { f: round });
  expect(denseLists(before)).toBe(before);
});

test("denseLists leaves lists with an op that it has no counterpart for, to be refused", () => {
  const pop = [...lists, node("last", "TensorListPopBack", ["list", "sizes"])];
  const before = graph([node("x", "Placeholder"), inBranch], ["y"], { f: body(pop, ["y", "last"]) });
  expect(denseLists(before)).toBe(before);
});
