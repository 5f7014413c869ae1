import { describe, expect, test } from "vitest";
import { evaluate } from "../../testing/evaluate.ts";
import { constantNode, filled, graph, integers, node, scalar, stored } from "../../testing/tiny-graph.ts";
import type { Node, Shape } from "../graph/graph.ts";
import { numbersOf } from "../graph/literal.ts";
import { foldConstants } from "./fold-constants.ts";

const image = (shape: Shape) => node("x", "Placeholder", [], { attrs: { shape: { shape } } });

/** What `name` becomes in a graph where `y` takes it. */
function folded(name: string, ...nodes: readonly Node[]): Node | undefined {
  return foldConstants(graph([...nodes, node("y", "Pack", [name])], ["y"])).nodes.get(name);
}

function numbers(made: Node | undefined): readonly number[] | undefined {
  return made?.value?.kind === "literal" ? numbersOf(made.value) : undefined;
}

describe("foldConstants", () => {
  test("computes small constants at once and the checkpoint's when they are written", () => {
    const nodes = [
      node("x", "Placeholder"),
      constantNode("two", scalar(2)),
      constantNode("v", stored("v")),
      node("four", "Mul", ["two", "two"]),
      node("root", "Rsqrt", ["v"]),
      node("k", "Mul", ["root", "four"]),
      node("y", "Mul", ["x", "k"]),
    ];
    const before = graph(nodes, ["y"]);
    const after = foldConstants(before);
    expect([...after.nodes.keys()]).toEqual(["x", "k", "y"]);
    expect(after.nodes.get("k")?.value).toMatchObject({ kind: "computed", op: "Mul" });
    expect(evaluate(after, { x: 3 }, { v: 0.25 })).toEqual(evaluate(before, { x: 3 }, { v: 0.25 }));
  });

  test("gives a constant of the checkpoint another shape", () => {
    const shape = constantNode("shape", integers(1, 1, -1));
    const made = folded("a", constantNode("v", stored("v", [2, 3])), shape, node("a", "Reshape", ["v", "shape"]));
    expect(made?.value).toEqual(stored("v", [1, 1, 6]));
  });

  test("computes shapes, what is taken of them and what is made of that", () => {
    const nodes = [
      image([2, 5, 7]),
      constantNode("one", integers(1)),
      constantNode("end", integers(3)),
      node("shape", "Shape", ["x"]),
      node("some", "StridedSlice", ["shape", "one", "end", "one"], { attrs: { T: { type: "DT_INT32" } } }),
      node("a", "ConcatV2", ["one", "some", "axis"], { attrs: { T: { type: "DT_INT32" } } }),
      constantNode("axis", { ...integers(0), shape: [] }),
    ];
    expect(numbers(folded("some", ...nodes))).toEqual([5, 7]);
    expect(numbers(folded("a", ...nodes))).toEqual([1, 5, 7]);
  });

  const flatten = (shape: Shape) => [
    image(shape),
    constantNode("zero", integers(0)),
    constantNode("one", integers(1)),
    node("shape", "Shape", ["x"]),
    node("batch", "StridedSlice", ["shape", "zero", "one", "one"], {
      attrs: { T: { type: "DT_INT32" }, shrink_axis_mask: { i: 1n } },
    }),
    constantNode("rest", { ...integers(12), shape: [] }),
    node("target", "Pack", ["batch", "rest"], { attrs: { T: { type: "DT_INT32" } } }),
    node("a", "Reshape", ["x", "target"]),
  ];

  test("reshapes to what is known and −1, where one size isn't", () => {
    const after = foldConstants(graph([...flatten([null, 3, 4]), node("y", "Neg", ["a"])], ["y"]));
    expect([...after.nodes.values()].map(({ op }) => op)).toEqual(["Placeholder", "Const", "Reshape", "Neg"]);
    expect(numbers(after.nodes.get("a/shape"))).toEqual([-1, 12]);
    const fixed = foldConstants(graph([...flatten([2, 3, 4]), node("y", "Neg", ["a"])], ["y"]));
    expect(numbers(fixed.nodes.get("target"))).toEqual([2, 12]);
  });

  test("computes nothing of what is known in part", () => {
    const zero = constantNode("zero", { ...integers(0), shape: [] });
    const T = { T: { type: "DT_INT32" } } as const;
    const counted = [node("x", "Placeholder"), zero, node("largest", "Max", ["x", "zero"], { attrs: T })];
    expect(folded("a", ...counted, node("a", "Maximum", ["zero", "largest"], { attrs: T }))?.op).toBe("Maximum");
  });

  test("leaves a shape alone whose rank isn't known", () => {
    expect(folded("shape", ...flatten(null))?.op).toBe("Shape");
  });

  test("knows nothing of what is computed with a number that isn't known", () => {
    const nodes = [image(null), node("sizes", "Shape", ["x"]), constantNode("one", integers(1))];
    expect(folded("a", ...nodes, node("a", "Maximum", ["one", "sizes"]))?.op).toBe("Maximum");
    expect(folded("a", ...nodes, node("a", "Maximum", ["sizes", "one"]))?.op).toBe("Maximum");
  });

  test("keeps an output, and what would have a large constant twice", () => {
    const two = constantNode("two", scalar(2));
    expect(foldConstants(graph([two, node("y", "Neg", ["two"])], ["y"])).nodes.get("y")?.op).toBe("Neg");
    const large = constantNode("large", stored("large", [100, 100]));
    const order = constantNode("order", integers(1, 0));
    const turned = node("a", "Transpose", ["large", "order"]);
    expect(folded("a", large, order, turned)?.value).toMatchObject({ kind: "computed", op: "Walk" });
    expect(folded("a", large, order, turned, node("b", "Neg", ["large"]))?.op).toBe("Transpose");
  });

  test("keeps what isn't float32 or doesn't fit", () => {
    const half = constantNode("half", { ...filled(1, [2]), dtype: "DT_HALF", data: new Uint8Array(4) });
    expect(folded("a", half, node("a", "Neg", ["half"]))?.op).toBe("Neg");
    const many = constantNode("many", integers(2 ** 30));
    expect(folded("a", many, node("a", "AddV2", ["many", "many"]))?.op).toBe("AddV2");
  });
});
