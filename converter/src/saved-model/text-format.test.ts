import { describe, expect, test } from "vitest";
import { messages, type Proto } from "./messages.ts";
import { decodeText } from "./text-format.ts";

const read = (name: string, text: string) => decodeText(messages, name, text, "model.pbtxt");
const bytes = (...values: number[]) => Uint8Array.from(values);

describe("decodeText", () => {
  test("reads messages, lazy ones too, and repeated fields, with zeros where nothing is", () => {
    const text = `
      name: "n" # a comment
      op: 'Op'
      input: "a" input: "b"
      attr { key: "T" value { type: DT_FLOAT } }
      attr: < key: "k"; value: { i: -7 }, >`;
    const { attr, ...node } = read("NodeDef", text) as Proto<"NodeDef">; // the tables that it was read by say so
    expect(node).toEqual({ name: "n", op: "Op", input: ["a", "b"] });
    expect(attr.map((decode) => decode("AttrEntry"))).toMatchObject([
      { key: "T", value: { type: 1, i: undefined } },
      { key: "k", value: { i: -7n } },
    ]);
    expect(read("NodeDef", "")).toMatchObject({ name: "", input: [], attr: [] });
  });

  test("reads maps", () => {
    const text = 'inputs { key: "x" value { name: "x:0" } } inputs: { key: "y" }';
    expect(read("SignatureDef", text)).toMatchObject({
      inputs: new Map([
        ["x", expect.objectContaining({ name: "x:0" })],
        ["y", expect.objectContaining({ name: undefined })],
      ]),
      outputs: new Map(),
    });
  });

  test("reads numbers in all their notations", () => {
    const text = "float_val: [1.5, -2e3f, inf] float_val: -inf float_val: nan int_val: 0x1F int_val: 017 int_val: -3";
    expect(read("TensorProto", text)).toMatchObject({
      floatVal: [1.5, -2000, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN],
      intVal: [31, 15, -3],
    });
    expect(read("TensorProto", "dtype: DT_INT32_REF bool_val: true bool_val: 0")).toMatchObject({
      dtype: 103,
      boolVal: [true, false],
    });
  });

  test("reads escapes in strings, and joins strings that follow each other", () => {
    const [quoted] = [String.raw`string_val: "\000\377\x41\n\"é" 'b"' "c"`];
    expect(read("TensorProto", quoted)).toMatchObject({
      stringVal: [bytes(0, 255, 65, 10, 34, 0xc3, 0xa9, 98, 34, 99)],
    });
  });

  test("skips what isn't in the tables", () => {
    const text = `unknown { a: 1 b { c: "}" } } other: [1, 2] [type.googleapis.com/Some.Type] { x: 1 } name: "n"`;
    expect(read("NodeDef", text)).toMatchObject({ name: "n" });
  });

  test.each([
    ["a message that doesn't end", "NodeDef", 'attr { key: "a"'],
    ["a string that doesn't end", "NodeDef", 'name: "a\n"'],
    ["an unknown escape", "NodeDef", String.raw`name: "\q"`],
    ["a list that doesn't end", "TensorProto", "float_val: [1,"],
    ["a bracket that doesn't close", "NodeDef", "[type"],
    ["a word for a number", "TensorProto", "float_val: constructor"],
    ["a word for a truth value", "TensorProto", "bool_val: constructor"],
    ["a number for a name", "NodeDef", "name: 3"],
    ["a value without a field", "NodeDef", '"a"'],
    ["messages nested too deep", "AttrValue", "func { attr { value { ".repeat(60)],
  ])("refuses %s, naming the line", (_, name, text) => {
    const error = expect.objectContaining({
      code: "data-loss",
      message: expect.stringMatching(/^model.pbtxt, line \d/),
    });
    expect(() => read(name, text)).toThrow(error);
  });
});
