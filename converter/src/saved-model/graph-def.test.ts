import { describe, expect, test } from "vitest";
import { type EncodedField, encodeProto } from "../../testing/encode-proto.ts";
import { graphReader, parseTensorName } from "./graph-def.ts";
import { decode } from "./messages.ts";

function nodeProto(name: string, op: string, ...inputs: readonly string[]): Uint8Array {
  return encodeProto([1, name], [2, op], ...inputs.map((input) => [3, input] as const));
}

describe("graphReader", () => {
  const read = (roots: readonly string[], ...fields: readonly EncodedField[]) =>
    graphReader(decode("GraphDef", encodeProto(...fields), "test"), "test")(roots);

  test.each(Object.getOwnPropertyNames(Object.prototype))("refuses %s as an op", (op) => {
    expect(() => read(["c"], [1, nodeProto("c", op)])).toThrow(expect.objectContaining({ code: "data-loss" }));
  });

  test("tells data from control inputs", () => {
    const nodes = [nodeProto("a", "Const"), nodeProto("b", "Split"), nodeProto("c", "Add", "b:1", "b", "^a")];
    expect(read(["c"], ...nodes.map((node) => [1, node] as const)).nodes.get("c")).toMatchObject({
      inputs: [
        { node: "b", output: 1 },
        { node: "b", output: 0 },
      ],
      controls: ["a"],
    });
  });

  test("decodes only what the roots need, and the functions that it names", () => {
    const broken = encodeProto([1, "broken"], [5, Uint8Array.of(2 * 8 + 2, 99)]);
    const functionProto = (name: string, node: Uint8Array) => encodeProto([1, encodeProto([1, name])], [3, node]);
    const { nodes, functions } = read(
      ["c"],
      [1, nodeProto("z", "Neg", "missing")],
      [1, nodeProto("c", "f", "a")],
      [1, nodeProto("a", "Const")],
      [1, broken],
      [2, encodeProto([1, functionProto("unused", broken)], [1, functionProto("f", nodeProto("n", "NoOp"))])],
    );
    expect([...nodes.keys()]).toEqual(["c", "a"]);
    expect([...functions.keys()]).toEqual(["f"]);
  });

  test("leaves out TensorFlow's notes on a node", () => {
    const attr = (name: string) => [5, encodeProto([1, name], [2, encodeProto([5, 1])])] as const;
    const { nodes } = read(["a"], [1, encodeProto([1, "a"], [2, "Op"], attr("_output_shapes"), attr("keep_dims"))]);
    expect(nodes.get("a")?.attrs).toEqual({ keep_dims: { b: true } });
  });

  test("refuses inputs that aren't there and names that are there twice", () => {
    expect(() => read(["c"], [1, nodeProto("c", "Neg", "missing")])).toThrow(
      'node "c": expected an input node "missing"',
    );
    expect(() => read([], [1, nodeProto("c", "Const")], [1, nodeProto("c", "Const")])).toThrow('expected one node "c"');
  });

  test("counts the outputs that function bodies name", () => {
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
    const { functions } = read(["call"], [1, nodeProto("call", "f")], [2, encodeProto([1, functionDef])]);
    const f = functions.get("f");
    expect(f?.nodes.get("x")?.op).toBe("Placeholder");
    expect(f?.nodes.get("split")?.inputs[0]).toEqual({ node: "top", output: 1 });
    expect(f?.outputs.map(({ tensor }) => tensor)).toEqual([
      { node: "split", output: 2 },
      { node: "top", output: 0 },
    ]);
  });
});

test("parseTensorName reads names as signatures have them", () => {
  expect(parseTensorName("scope/x:2")).toEqual({ node: "scope/x", output: 2 });
  expect(parseTensorName("x")).toEqual({ node: "x", output: 0 });
});
