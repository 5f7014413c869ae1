import { describe, expect, test } from "vitest";
import { encodeProto } from "../../testing/encode-proto.ts";
import { functionsFromProto, nodesFromProto, parseTensorName } from "./graph-def.ts";
import { decode } from "./messages.ts";

function nodeProto(name: string, op: string, ...inputs: readonly string[]): Uint8Array {
  return encodeProto([1, name], [2, op], ...inputs.map((input) => [3, input] as const));
}

describe("nodesFromProto", () => {
  test.each(Object.getOwnPropertyNames(Object.prototype))("refuses %s as an op", (op) => {
    expect(() => nodes(nodeProto("c", op))).toThrow(expect.objectContaining({ code: "data-loss" }));
  });

  const nodes = (...protos: readonly Uint8Array[]) =>
    nodesFromProto(decode("GraphDef", encodeProto(...protos.map((node) => [1, node] as const)), "test").node, "test");

  test("tells data from control inputs", () => {
    const graph = nodes(nodeProto("a", "Const"), nodeProto("b", "Split"), nodeProto("c", "Add", "b:1", "b", "^a"));
    expect(graph.get("c")).toMatchObject({
      inputs: [
        { node: "b", output: 1 },
        { node: "b", output: 0 },
      ],
      controls: ["a"],
    });
  });

  test("refuses inputs that aren't there and names that are there twice", () => {
    expect(() => nodes(nodeProto("c", "Neg", "missing"))).toThrow('node "c": expected an input node "missing"');
    expect(() => nodes(nodeProto("c", "Const"), nodeProto("c", "Const"))).toThrow('expected one node "c"');
  });
});

test("functionsFromProto counts the outputs that function bodies name", () => {
  const arg = (name: string) => encodeProto([1, name], [3, 1]);
  const signature = encodeProto([1, "f"], [2, arg("x")], [3, arg("y")], [3, arg("z")]);
  const result = (key: string, tensor: string) => encodeProto([1, key], [2, tensor]);
  const functionDef = encodeProto(
    [1, signature],
    [3, nodeProto("top", "TopKV2", "x", "x")],
    [3, nodeProto("split", "Split", "top:indices:0", "x")],
    [4, result("y", "split:output:2")],
    [4, result("z", "top:values:0")],
  );
  const library = decode("FunctionDefLibrary", encodeProto([1, functionDef]), "test");
  const f = functionsFromProto(library.function, "test").get("f");
  expect(f?.nodes.get("x")?.op).toBe("Placeholder");
  expect(f?.nodes.get("split")?.inputs[0]).toEqual({ node: "top", output: 1 });
  expect(f?.outputs.map(({ tensor }) => tensor)).toEqual([
    { node: "split", output: 2 },
    { node: "top", output: 0 },
  ]);
});

test("parseTensorName reads names as signatures have them", () => {
  expect(parseTensorName("scope/x:2")).toEqual({ node: "scope/x", output: 2 });
  expect(parseTensorName("x")).toEqual({ node: "x", output: 0 });
});
