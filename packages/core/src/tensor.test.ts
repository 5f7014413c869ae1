import { expect, test } from "vitest";
import { assertTensor, dataLength } from "./tensor.ts";

const check = (value: unknown) => () => assertTensor(value, 'input "x"');

test("assertTensor accepts data that fills its shape, also empty, scalar and complex", () => {
  check({ dtype: "float32", shape: [2, 2], data: new Float32Array(4) })();
  check({ dtype: "float32", shape: [0, 3], data: new Float32Array(0) })();
  check({ dtype: "int64", shape: [], data: new BigInt64Array(1) })();
  check({ dtype: "complex64", shape: [3], data: new Float32Array(6) })();
  check({ dtype: "string", shape: [1], data: ["text"] })();
});

test.each([
  ["no tensor at all", 7, "expected a tensor { dtype, shape, data }, got 7"],
  ["null", null, "expected a tensor"],
  ["an unknown dtype", { dtype: "float8", shape: [], data: [] }, "got dtype float8"],
  ["a name of Object.prototype as dtype", { dtype: "toString", shape: [], data: [] }, "got dtype toString"],
  ["a negative dimension", { dtype: "bool", shape: [-1], data: new Uint8Array(1) }, "whole numbers ≥ 0, got [-1]"],
  ["a fractional dimension", { dtype: "bool", shape: [1.5], data: new Uint8Array(1) }, "whole numbers"],
  ["the wrong array", { dtype: "int32", shape: [1], data: new Float32Array(1) }, "in a Int32Array, got Float32Array"],
  ["a plain list", { dtype: "float32", shape: [1], data: [1] }, "Float32Array, got Array"],
  [
    "too little data",
    { dtype: "float32", shape: [2, 3], data: new Float32Array(5) },
    "6 values for float32 [2,3], got 5",
  ],
  ["numbers among strings", { dtype: "string", shape: [2], data: ["a", 1] }, "strings only"],
])("assertTensor refuses %s, naming the place", (_what, value, message) => {
  expect(check(value)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  expect(check(value)).toThrow(message);
  expect(check(value)).toThrow('input "x"');
});

test("dataLength counts complex elements twice", () => {
  expect(dataLength("complex64", [2, 3])).toBe(12);
  expect(dataLength("float64", [])).toBe(1);
});
