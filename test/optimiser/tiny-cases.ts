import { expectClose } from "@nearside/core/testing";
import { describe, expect, test } from "vitest";
import type { Attr, Attrs, Node, Shape, TensorValue } from "../../converter/src/graph/graph.ts";
import { literal } from "../../converter/src/graph/literal.ts";
import { passes } from "../../converter/src/passes/index.ts";
import { restoreDefaultAttrs } from "../../converter/src/passes/restore-default-attrs.ts";
import { constantNode, graph, node, text } from "../../converter/testing/tiny-graph.ts";
import { runGraph } from "../run-graph.ts";

/** A graph of a few nodes, whose last one is `y`, and the ops that the optimiser leaves of it, constants aside. */
export interface Case {
  readonly title: string;
  readonly nodes: readonly Node[];
  readonly ops: readonly string[];
  /** The same in ops that TensorFlow.js has, where it lacks some of those in `nodes`. */
  readonly reference?: readonly Node[];
}

/** Names of ops that a text separates by spaces. */
export function ops(names: string): readonly string[] {
  return names === "" ? [] : names.split(" ");
}

/** Numbers between `low` and `high` that look random and are the same each time. */
export function numbers(seed: string, count: number, low = -1, high = 1): number[] {
  let state = [...seed].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % 2147483647;
  return Array.from({ length: count }, () => {
    state = (state * 48271) % 2147483647;
    return low + (state / 2147483647) * (high - low);
  });
}

/** A float32 with numbers of its own. */
export function value(name: string, shape: readonly number[], low?: number, high?: number): TensorValue {
  const count = shape.reduce((product, size) => product * size, 1);
  const made = literal("DT_FLOAT", shape, numbers(name, count, low, high));
  if (made === undefined) throw new Error("not a float32");
  return made;
}

/** A constant of those. */
export const floats = (name: string, shape: readonly number[], low?: number, high?: number) =>
  constantNode(name, value(name, shape, low, high));
/** The input `x`. */
export const input = (shape: Shape) =>
  node("x", "Placeholder", [], { attrs: { shape: { shape }, dtype: { type: "DT_FLOAT" } } });
/** A list of integers as an attribute. */
export const ints = (...list: readonly number[]): Attr => ({ list: { i: list.map(BigInt) } });
/** The type of most of what is here. */
export const float: Attr = { type: "DT_FLOAT" };

/** Two small images. */
export const image = input([2, 7, 6, 3]);
/** The attributes of a convolution. */
export const sliding = (padding: string, stride = 1): Attrs => ({
  T: float,
  padding: text(padding),
  strides: ints(1, stride, stride, 1),
});

/** The ops that take a filter: nodes up to `conv`, over five channels, and what the op is called once it is fused. */
export const filtered = {
  Conv2D: {
    fused: "_FusedConv2D",
    nodes: [image, floats("w", [3, 2, 3, 5]), node("conv", "Conv2D", ["x", "w"], { attrs: sliding("SAME", 2) })],
  },
  DepthwiseConv2dNative: {
    fused: "FusedDepthwiseConv2dNative",
    nodes: [
      input([2, 7, 6, 5]),
      floats("w", [3, 3, 5, 1]),
      node("conv", "DepthwiseConv2dNative", ["x", "w"], { attrs: sliding("VALID") }),
    ],
  },
  MatMul: {
    fused: "_FusedMatMul",
    nodes: [input([4, 3]), floats("w", [3, 5]), node("conv", "MatMul", ["x", "w"], { attrs: { T: float } })],
  },
} as const;
/** The name of one of them. */
export type Filtered = keyof typeof filtered;
/** All of them. */
export const filteredOps = Object.keys(filtered) as Filtered[];

/** A batch norm of `of`. */
export const batchNorm = (op: string, of: string, name = "y"): readonly Node[] => [
  floats("gamma", [5], 0.5, 1.5),
  floats("beta", [5]),
  floats("mean", [5]),
  floats("variance", [5], 0.5, 1.5),
  node(name, op, [of, "gamma", "beta", "mean", "variance"], {
    attrs: { T: float, epsilon: { f: 0.001 }, is_training: { b: false } },
  }),
];
/** A batch norm as Keras 3 writes it. */
export const scaleAndShift = (of: string, channels = 5, name = "y"): readonly Node[] => [
  floats("k", [1, 1, 1, channels], 0.5, 1.5),
  floats("c", [1, 1, 1, channels]),
  node(`${name}/mul`, "Mul", [of, "k"], { attrs: { T: float } }),
  node(name, "AddV2", [`${name}/mul`, "c"], { attrs: { T: float } }),
];
/** A bias of five channels. */
export const biased = (of: string, name = "biased"): readonly Node[] => [
  floats("b", [5]),
  node(name, "BiasAdd", [of, "b"], { attrs: { T: float } }),
];
/** The activation `y` of `of`. */
export const activation = (op: string, of: string): readonly Node[] => {
  const alpha: Attrs = op === "LeakyRelu" ? { alpha: { f: 0.3 } } : {};
  return op === "Prelu"
    ? [floats("alpha", [5]), node("y", op, [of, "alpha"], { attrs: { T: float } })]
    : [node("y", op, [of], { attrs: { T: float, ...alpha } })];
};

/** Tests that the optimiser leaves of each graph the ops that it should, and that TensorFlow.js computes the same. */
export function testCases(title: string, cases: readonly Case[]): void {
  describe(title, () => {
    test.each(cases)("$title", async ({ nodes, ops: expected, reference = nodes }) => {
      const given = graph(nodes, ["y"]);
      const optimised = passes.reduce((current, pass) => pass(current), given);
      const left = [...optimised.nodes.values()].map(({ op }) => op);
      expect(left.filter((op) => op !== "Const" && op !== "Placeholder").sort()).toEqual([...expected].sort());
      const [port] = given.inputs;
      const shape = (port?.shape ?? []).map((size) => size ?? 1);
      const count = shape.reduce((product, size) => product * size, 1);
      const x = { dtype: "float32", shape, data: Float32Array.from(numbers("x", count, -3, 3)) } as const;
      const wanted = await runGraph(restoreDefaultAttrs(graph(reference, ["y"])), { x });
      expectClose(await runGraph(optimised, { x }), wanted);
    });
  });
}
