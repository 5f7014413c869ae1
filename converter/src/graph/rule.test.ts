import { describe, expect, test } from "vitest";
import { body, call, constantNode, graph, integers, node, scalar } from "../../testing/tiny-graph.ts";
import { rule } from "./rule.ts";

const negateTwice = rule((root) => {
  if (root.op !== "Identity") return undefined;
  const inner = { ...root, name: `${root.name}/inner`, op: "Neg" };
  return [inner, { ...root, op: "Neg", inputs: [{ node: inner.name, output: 0 }] }];
});

describe("rule", () => {
  test("replaces nodes in the graph and its functions, and leaves its argument as it is", () => {
    const inner = body([node("a", "Placeholder"), node("b", "Identity", ["a"])], ["b"]);
    const before = graph([node("x", "Placeholder"), call("f", "inner", ["x"]), node("y", "Identity", ["f"])], ["y"], {
      inner,
    });
    const after = negateTwice(before);
    expect([...after.nodes.keys()]).toEqual(["x", "f", "y/inner", "y"]);
    expect([...(after.functions.get("inner")?.nodes.keys() ?? [])]).toEqual(["a", "b/inner", "b"]);
    expect([...before.nodes.values()].map(({ op }) => op)).toEqual([
      "Placeholder",
      "StatefulPartitionedCall",
      "Identity",
    ]);
  });

  test("hands back a graph to which it applies nowhere", () => {
    const inner = body([node("a", "Placeholder"), node("b", "Neg", ["a"])], ["b"]);
    const before = graph([node("x", "Placeholder"), call("y", "inner", ["x"])], ["y"], { inner });
    expect(negateTwice(before)).toBe(before);
  });

  test("drops what is left without use", () => {
    const toConstant = rule((root) => (root.name === "b" ? [constantNode("b", scalar(1))] : undefined));
    const nodes = [node("x", "Exp", ["k"]), node("a", "Neg", ["x"]), node("b", "Neg", ["a"]), node("c", "Neg", ["b"])];
    const after = toConstant(graph([constantNode("k", scalar(2)), ...nodes], ["c"]));
    expect([...after.nodes.keys()]).toEqual(["b", "c"]);
  });

  test("leaves nodes alone that wait for others", () => {
    const waiting = graph([node("x", "Placeholder"), node("n", "NoOp"), node("y", "Identity", ["x", "^n"])], ["y"]);
    expect(negateTwice(waiting).nodes.get("y")?.op).toBe("Identity");
  });

  test("follows long chains, and loops", () => {
    const chain = Array.from({ length: 20_000 }, (_, at) => node(`n${at}`, "Neg", [at === 0 ? "x" : `n${at - 1}`]));
    const shapes = rule((root, { shapeOf }) => {
      if (root.op === "Exp") expect(shapeOf(root.inputs[0])).toEqual([]);
      return undefined;
    });
    shapes(graph([node("x", "Placeholder"), ...chain, node("y", "Exp", ["n19999"])], ["y"]));
    shapes(graph([node("a", "Neg", ["b"]), node("b", "Neg", ["a"])], ["a"]));
  });
});

/** What is known of the shape of `y`, which is what `op` makes of `x`. */
function shapeOfResult(
  x: readonly (number | null)[],
  y: Parameters<typeof node>,
  ...others: ReturnType<typeof node>[]
) {
  let result: unknown;
  const look = rule((root, { shapeOf }) => {
    if (root.name === "z") result = shapeOf(root.inputs[0]);
    return undefined;
  });
  const input = node("x", "Placeholder", [], { attrs: { shape: { shape: x } } });
  look(graph([input, ...others, node(...y), node("z", "Neg", ["y"])], ["z"]));
  return result;
}

describe("shapes", () => {
  const list = (name: string, ...values: readonly number[]) => constantNode(name, integers(...values));
  const slice = (mask: string) =>
    ["y", "StridedSlice", ["x", "begin", "end", "strides"], { attrs: { [mask]: { i: 1n } } }] as Parameters<
      typeof node
    >;
  const bounds = [list("begin", 1, 0), list("end", 5, 9), list("strides", 1, 2)];

  test.each([
    ["StridedSlice", slice("end_mask"), [null, 4, 4]],
    ["StridedSlice that drops an axis", slice("shrink_axis_mask"), [4, 4]],
    ["StridedSlice that makes an axis", slice("new_axis_mask"), [1, null, 7, 4]],
  ] as const)("of a %s", (_, y, expected) => {
    expect(shapeOfResult([null, 7, 4], y, ...bounds)).toEqual(expected);
  });

  test("of reductions, concatenations and products of matrices", () => {
    const keep = { attrs: { keep_dims: { b: true } } };
    expect(shapeOfResult([null, 7, 4], ["y", "Mean", ["x", "axes"], keep], list("axes", -1))).toEqual([null, 7, 1]);
    const axis = constantNode("axis", { ...integers(1), shape: [] });
    expect(shapeOfResult([null, 7], ["y", "ConcatV2", ["x", "x", "axis"]], axis)).toEqual([null, 14]);
    const equation = { attrs: { equation: { s: new TextEncoder().encode("bij,bjk->bik") } } };
    expect(shapeOfResult([null, 7, 7], ["y", "Einsum", ["x", "x"], equation])).toEqual([null, 7, 7]);
    expect(shapeOfResult([null, 7, 7], ["y", "BatchMatMulV2", ["x", "x"]])).toEqual([null, 7, 7]);
  });
});
