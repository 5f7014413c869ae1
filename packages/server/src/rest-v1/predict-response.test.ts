import type { Tensors } from "@nearside/core";
import { expect, test } from "vitest";
import { encodePredictResponse } from "./predict-response.ts";

const scores = { dtype: "float32", shape: [2, 2], data: Float32Array.of(0.2, 1, Number.NaN, -Infinity) } as const;
const ids = { dtype: "int64", shape: [2], data: BigInt64Array.of(9007199254740993n, -1n) } as const;

test.each<[string, "row" | "column", Tensors, string]>([
  ["one output in rows", "row", { scores }, '{\n    "predictions": [[0.2, 1.0], [NaN, -Infinity]\n    ]\n}'],
  ["one output in a column", "column", { ids }, '{\n    "outputs": [9007199254740993, -1]\n}'],
  ["a scalar", "column", { y: { dtype: "int32", shape: [], data: Int32Array.of(7) } }, '{\n    "outputs": 7\n}'],
  [
    "an empty batch",
    "row",
    { y: { dtype: "float32", shape: [0, 2], data: new Float32Array() } },
    '{\n    "predictions": [\n    ]\n}',
  ],
  [
    "booleans",
    "column",
    { y: { dtype: "bool", shape: [2], data: Uint8Array.of(0, 1) } },
    '{\n    "outputs": [false, true]\n}',
  ],
  [
    "strings, and bytes by their name",
    "column",
    { s: { dtype: "string", shape: [1], data: ['"'] }, s_bytes: { dtype: "string", shape: [1], data: ["hi"] } },
    '{\n    "outputs": {\n        "s": ["\\""],\n        "s_bytes": [{"b64": "aGk="}]\n    }\n}',
  ],
])("encodePredictResponse writes %s", (_what, form, outputs, expected) => {
  expect(encodePredictResponse(form, outputs)).toBe(expected);
});

test("encodePredictResponse writes several outputs in rows as objects", () => {
  const text = encodePredictResponse("row", { scores: { ...scores, data: Float32Array.of(1, 2, 3, 4) }, ids });
  expect(text.startsWith('{\n    "predictions": [\n        {\n            "scores": [1.0, 2.0],\n')).toBe(true);
  expect(JSON.parse(text)).toEqual({
    predictions: [
      { scores: [1, 2], ids: Number("9007199254740993") },
      { scores: [3, 4], ids: -1 },
    ],
  });
});

test.each<[string, Tensors]>([
  ["Tensor name: y has no shape information", { y: { dtype: "int32", shape: [], data: Int32Array.of(7) } }],
  [
    "Tensor name: y has inconsistent batch size: 1 expecting: 2",
    { ids, y: { dtype: "int32", shape: [1], data: Int32Array.of(7) } },
  ],
  [
    "Failed to write JSON value for tensor type: complex64",
    { y: { dtype: "complex64", shape: [1], data: Float32Array.of(1, 2) } },
  ],
])("encodePredictResponse refuses in rows: %s", (message, outputs) => {
  expect(() => encodePredictResponse("row", outputs)).toThrow(message);
});
