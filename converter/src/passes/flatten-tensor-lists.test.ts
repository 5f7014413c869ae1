import { describe, expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { graph, int32, node } from "../../testing/tiny-graph.ts";
import { flattenTensorLists } from "./flatten-tensor-lists.ts";

const x = node("x", "Placeholder");
const index = (name: string, value: number) => node(name, "Const", [], { value: int32(value) });
const reserved = [index("shape", -1), index("size", 2), node("list", "TensorListReserve", ["shape", "size"])];

describe("flattenTensorLists", () => {
  test("reads an element that was set", () => {
    const nodes = [
      x,
      ...reserved,
      index("one", 1),
      node("set", "TensorListSetItem", ["list", "one", "x"]),
      node("y", "TensorListGetItem", ["set", "one", "shape"]),
    ];
    expect(evaluate(flattenTensorLists(graph(nodes, ["y"])), { x: 5 })).toEqual({ y: 5 });
  });

  test("packs the elements of a stack", () => {
    const nodes = [
      x,
      ...reserved,
      index("zero", 0),
      index("one", 1),
      node("double", "AddV2", ["x", "x"]),
      node("first", "TensorListSetItem", ["list", "one", "x"]),
      node("second", "TensorListSetItem", ["first", "zero", "double"]),
      node("y", "TensorListStack", ["second", "shape"]),
    ];
    const pack = flattenTensorLists(graph(nodes, ["y"])).nodes.get("y");
    expect(pack).toMatchObject({ op: "Pack", attrs: { N: { i: 2n }, axis: { i: 0n } } });
    expect(pack?.inputs.map((input) => input.node)).toEqual(["double", "x"]);
  });

  test("slices the tensor that a list was made from", () => {
    const nodes = [
      x,
      index("shape", -1),
      index("at", 3),
      node("list", "TensorListFromTensor", ["x", "shape"]),
      node("y", "TensorListGetItem", ["list", "at", "shape"]),
      node("i", "Placeholder"),
      node("z", "TensorListGetItem", ["list", "i", "shape"]),
    ];
    const after = flattenTensorLists(graph(nodes, ["y", "z"]));
    expect(after.nodes.get("y")).toMatchObject({ op: "StridedSlice", attrs: { shrink_axis_mask: { i: 1n } } });
    expect(after.nodes.get("y/bound_0")?.value).toMatchObject({ shape: [1], data: new Uint8Array([3, 0, 0, 0]) });
    expect(after.nodes.get("z")).toMatchObject({ op: "GatherV2" });
  });

  test("leaves a stack alone of which an element was never set", () => {
    const nodes = [x, ...reserved, node("y", "TensorListStack", ["list", "shape"])];
    const before = graph(nodes, ["y"]);
    expect(flattenTensorLists(before)).toEqual(before);
  });
});
