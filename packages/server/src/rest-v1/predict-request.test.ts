import type { Signature, TensorSpec } from "@nearside/core";
import { describe, expect, test } from "vitest";
import { decodePredictRequest, parseRequestBody, signatureName } from "./predict-request.ts";

function decode(text: string, inputs: Readonly<Record<string, TensorSpec>>) {
  const signature: Signature = { inputs, outputs: {} };
  return decodePredictRequest(parseRequestBody(new TextEncoder().encode(text)), signature);
}

const spec = (dtype: TensorSpec["dtype"]): TensorSpec => ({ dtype, shape: null });
const one = { x: spec("float32") };
const two = { a: spec("float32"), b: spec("string") };
const failed = (element: string) =>
  `Failed to process element: ${element} of 'instances' list. Error: INVALID_ARGUMENT:`;

describe("decodePredictRequest", () => {
  test.each([
    ["scalars in rows", '{"instances": [1.0, 2.0, 5.0]}', one, { x: tensor([3], [1, 2, 5]) }],
    ["lists in rows", '{"instances": [[1, 2], [3, 4]]}', one, { x: tensor([2, 2], [1, 2, 3, 4]) }],
    ["one named input in rows", '{"instances": [{"x": [1]}]}', one, { x: tensor([1, 1], [1]) }],
    ["empty lists in rows", '{"instances": [[], []]}', one, { x: tensor([2, 0], []) }],
    ["a scalar column", '{"inputs": 7}', one, { x: tensor([], [7]) }],
    ["an empty column", '{"inputs": []}', one, { x: tensor([0], []) }],
    ["a named column with others to ignore", '{"inputs": {"x": [1], "z": 2}}', one, { x: tensor([1], [1]) }],
    ["NaN and infinities", '{"inputs": [NaN, -Infinity]}', one, { x: tensor([2], [Number.NaN, -Infinity]) }],
    ["numbers beyond float32", '{"inputs": [1e39, 1e-60]}', one, { x: tensor([2], [Infinity, 0]) }],
  ])("reads %s", (_what, text, inputs, expected) => {
    expect(decode(text, inputs).inputs).toEqual(expected);
  });

  test("reads several inputs in rows, strings in base64 among them", () => {
    const text = '{"instances": [{"a": 1, "b": {"b64": "aGk="}}, {"b": "x\\u0000", "a": 2}]}';
    expect(decode(text, two)).toEqual({
      form: "row",
      inputs: { a: tensor([2], [1, 2]), b: { dtype: "string", shape: [2], data: ["hi", "x\0"] } },
    });
  });

  test("reads int64 above 2^53 exactly", () => {
    const { inputs } = decode('{"instances": [9007199254740993, -9223372036854775808]}', { x: spec("int64") });
    expect(inputs.x?.data).toEqual(BigInt64Array.of(9007199254740993n, -(2n ** 63n)));
  });

  test.each([
    ['{"instances": [1], "inputs": [1]}', one, "only one of 'inputs' or 'instances' keys to exist"],
    ['{"data": [1]}', one, "Missing 'inputs' or 'instances' key"],
    ['{"instances": 1}', one, "Expecting 'instances' to be an list/array"],
    ['{"instances": []}', one, "No values in 'instances' array"],
    ["[1]", one, "JSON Value: [1] Is not object"],
    ['{"instances": [[1, 2], [3]]}', one, `${failed("1")} Expecting tensor size: 2 but got: 1`],
    ['{"instances": [[[1], [2]], [[3, 4]]]}', one, `${failed("1")} Expecting shape [2,1] but got: [1,2]`],
    [
      '{"instances": [[[1], [2, 3]]]}',
      one,
      `${failed("0")} Encountered list at unexpected size: 2 at level: 1 expected size: 1`,
    ],
    ['{"instances": [[1, [2]]]}', one, `${failed("0")} Encountered list at unexpected level: 1 expected < 1`],
    [
      '{"instances": [[[1], 2]]}',
      one,
      `${failed("0")} JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2`,
    ],
    ['{"instances": ["a"]}', one, `${failed("0")} JSON Value: "a" Type: String is not of expected type: float`],
    ['{"inputs": [1.0]}', { x: spec("int32") }, "JSON Value: 1 Type: Number is not of expected type: int32"],
    ['{"inputs": [300]}', { x: spec("uint8") }, "JSON Value: 300 Type: Number is not of expected type: uint8"],
    ['{"inputs": [null]}', one, "JSON Value: null Type: Null is not of expected type: float"],
    ['{"inputs": [1]}', { x: spec("bool") }, "Type: Number is not of expected type: bool"],
    ['{"inputs": [1]}', { x: spec("string") }, "Type: Number is not of expected type: string"],
    ['{"inputs": [{"b64": "a"}]}', { x: spec("string") }, "Unable to base64 decode"],
    ['{"inputs": [{"b65": "aGk="}]}', { x: spec("string") }, "not formatted correctly for base64 data"],
    ['{"instances": [1]}', two, "instances is a plain list, but expecting list of objects"],
    ['{"inputs": [1]}', two, "inputs is a plain value/list, but expecting an object"],
    ['{"inputs": {"a": 1}}', two, "Missing named input: b in 'inputs' object."],
    ['{"instances": [{"a": 1}]}', two, "keys must be equal to: a,b"],
    ['{"instances": [{"z": 1}]}', two, `${failed("0 key: z")} JSON object: does not have named input: z`],
    ['{"instances": [{"x": 1}, 2]}', one, "Expecting object but got list at item 1 of input list"],
    ['{"instances": [2, {"x": 1}]}', one, "Expecting value/list but got object at item 1 of input list"],
  ])("refuses %s", (text, inputs, message) => {
    expect(() => decode(text, inputs)).toThrow(
      expect.objectContaining({ code: "invalid-argument", message: expect.stringContaining(message) }),
    );
  });

  test("cuts a long value in a message", () => {
    const text = JSON.stringify({ instances: [], padding: "x".repeat(100_000) });
    expect(() => decode(text, one)).toThrow(
      /^JSON Value: \{\n {4}"instances": \[\],\n {4}"padding": "x{200,250} No values/,
    );
  });

  test("reads bytes that are no text", () => {
    const { inputs } = decode('{"inputs": {"b64": "/wA="}}', { x: spec("string") });
    expect(inputs.x?.data).toEqual(["\udcff\0"]); // as core/text-bytes writes them
  });
});

describe("signatureName", () => {
  test.each([
    ["{}", "serving_default"],
    ['{"signature_name": ""}', "serving_default"],
    ['{"signature_name": "encode"}', "encode"],
  ])("of %s is %s", (text, name) => {
    expect(signatureName(parseRequestBody(new TextEncoder().encode(text)))).toBe(name);
  });

  test("must be a string", () => {
    const document = parseRequestBody(new TextEncoder().encode('{"signature_name": 1}'));
    expect(() => signatureName(document)).toThrow("'signature_name' key must be a string value.");
  });
});

function tensor(shape: readonly number[], values: readonly number[]) {
  return { dtype: "float32", shape, data: Float32Array.from(values) };
}
