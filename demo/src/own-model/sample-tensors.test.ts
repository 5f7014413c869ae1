import { describe, expect, test } from "vitest";
import { formatElements, formatNested, parseTensor, sampleTensor } from "./sample-tensors.ts";

describe("sampleTensor", () => {
  test("takes 1 for free dimensions and the array of the dtype", () => {
    expect(sampleTensor({ dtype: "float32", shape: [null, 3] }, "zeros")).toEqual({
      dtype: "float32",
      shape: [1, 3],
      data: new Float32Array(3),
    });
    expect(sampleTensor({ dtype: "int64", shape: null }, "zeros").data).toEqual(BigInt64Array.of(0n));
    expect(sampleTensor({ dtype: "string", shape: [2] }, "random").data).toEqual(["", ""]);
    expect(sampleTensor({ dtype: "complex64", shape: [2] }, "zeros").data).toHaveLength(4);
  });

  test("fills with numbers that the dtype can hold", () => {
    const whole = sampleTensor({ dtype: "int32", shape: [50] }, "random").data as Int32Array;
    expect(whole.every((value) => value >= 0 && value < 10)).toBe(true);
    const flags = sampleTensor({ dtype: "bool", shape: [50] }, "random").data as Uint8Array;
    expect(flags.every((value) => value === 0 || value === 1)).toBe(true);
  });
});

describe("parseTensor", () => {
  test.each([
    ["[[1,2],[3,4]]", [2, 2]],
    ["7", []],
    ["[[],[]]", [2, 0]],
  ])("reads %s as it was written", (text, shape) => {
    const tensor = parseTensor(text, { dtype: "float32", shape: null });
    expect(tensor.shape).toEqual(shape);
    expect(formatNested(tensor)).toBe(text);
  });

  test("refuses elements of another type", () => {
    expect(() => parseTensor('["a"]', { dtype: "float32", shape: null })).toThrow('expected float32 values, got "a"');
    expect(() => parseTensor("[1]", { dtype: "string", shape: null })).toThrow("expected string values, got 1");
  });
});

test("formatElements shows the first elements, and how many more there are", () => {
  const data = Float32Array.of(1 / 3, 2, 3);
  expect(formatElements({ dtype: "float32", shape: [3], data }, 2)).toBe("0.333333, 2, … 1 more");
  expect(formatElements({ dtype: "string", shape: [1], data: ["a"] }, 2)).toBe('"a"');
});
