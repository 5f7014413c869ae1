import { describe, expect, test } from "vitest";
import { body, graph, node, scalar } from "../../testing/tiny-graph.ts";
import type { Attr, Node } from "../graph/graph.ts";
import { graphDefToJson, tensorInfoToJson } from "./graph-def-json.ts";

function nodesOf(...nodes: readonly Node[]): unknown {
  return JSON.parse(JSON.stringify(graphDefToJson(graph(nodes, []), 7))).node;
}

const attrOf = (attr: Attr) =>
  (nodesOf(node("n", "Op", [], { attrs: { attr } })) as [{ attr: { attr: unknown } }])[0].attr.attr;

describe("graphDefToJson", () => {
  test("writes node, library and versions", () => {
    expect(graphDefToJson(graph([], []), 7)).toEqual({ node: [], library: {}, versions: { producer: 7 } });
  });

  test("writes functions with the places of outputs instead of their names", () => {
    const twoOutputs = body([node("a", "Placeholder"), node("top", "TopKV2", ["a", "a"])], ["top:1"]);
    expect(graphDefToJson(graph([], [], { f: twoOutputs }), 7)).toMatchObject({
      library: {
        function: [
          {
            signature: {
              name: "f",
              inputArg: [{ name: "a", type: "DT_FLOAT" }],
              outputArg: [{ name: "output_0", type: "DT_FLOAT" }],
            },
            nodeDef: [{ name: "top", op: "TopKV2", input: ["a", "a"] }],
            ret: { output_0: "top:1" },
          },
        ],
      },
    });
  });

  test("names first outputs by the node alone and leaves out what is empty", () => {
    expect(nodesOf(node("a", "NoOp"), node("b", "AddV2", ["a", "a:1", "^a"]))).toEqual([
      { name: "a", op: "NoOp" },
      { name: "b", op: "AddV2", input: ["a", "a:1", "^a"] },
    ]);
  });

  test("writes a constant's dtype and shape as it is stored, without its value", () => {
    const value = { ...scalar(0), dtype: "DT_INT64", shape: [2] } as const;
    expect(nodesOf(node("c", "Const", [], { value }))).toEqual([
      {
        name: "c",
        op: "Const",
        attr: {
          dtype: { type: "DT_INT32" },
          value: { tensor: { dtype: "DT_INT32", tensorShape: { dim: [{ size: "2" }] } } },
        },
      },
    ]);
  });

  test("leaves TensorFlow's internal attributes out and sorts the rest", () => {
    const attrs = { z: { b: true }, _output_shapes: { b: true }, a: { b: false } } as const;
    const [first] = nodesOf(node("n", "Op", [], { attrs })) as [{ attr: object }];
    expect(Object.keys(first.attr)).toEqual(["a", "z"]);
  });

  test.each<[string, Attr, unknown]>([
    ["bytes in base64", { s: new TextEncoder().encode("NHWC") }, { s: "TkhXQw==" }],
    ["integers as strings", { i: -(2n ** 63n) }, { i: "-9223372036854775808" }],
    ["floats as the shortest decimal", { f: Math.fround(0.1) }, { f: 0.1 }],
    ["floats that need all digits", { f: Math.fround(16777217 / 3) }, { f: 5592405.5 }],
    ["false", { b: false }, { b: false }],
    ["types by name", { type: "DT_FLOAT" }, { type: "DT_FLOAT" }],
    ["types that TensorFlow.js lacks as what it computes in", { type: "DT_BFLOAT16" }, { type: "DT_FLOAT" }],
    ["a scalar's shape", { shape: [] }, { shape: {} }],
    ["unknown dimensions", { shape: [null, 3] }, { shape: { dim: [{ size: "-1" }, { size: "3" }] } }],
    ["an unknown rank", { shape: null }, { shape: { unknownRank: true } }],
    ["an empty list", { list: {} }, { list: {} }],
    ["a list", { list: { i: [1n, 2n] } }, { list: { i: ["1", "2"] } }],
  ])("writes %s", (_, attr, json) => {
    expect(attrOf(attr)).toEqual(json);
  });
});

test("tensorInfoToJson names the output of the node", () => {
  const port = { key: "x", tensor: { node: "in", output: 0 }, dtype: "DT_INT64", shape: [null] } as const;
  expect(tensorInfoToJson(port)).toEqual({ name: "in:0", dtype: "DT_INT64", tensorShape: { dim: [{ size: "-1" }] } });
});
