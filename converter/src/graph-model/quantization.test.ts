import { dequantize } from "@nearside/core";
import { describe, expect, test } from "vitest";
import { quantizationOf, quantize, type TensorQuantization } from "./quantization.ts";

/** What the stored elements stand for, as TensorFlow.js computes it. */
function roundTrip(values: readonly number[], dtype: TensorQuantization["dtype"]): readonly number[] {
  const floats = Float32Array.from(values);
  const quantization = quantizationOf(dtype, { least: Math.min(...floats), greatest: Math.max(...floats) });
  const bytes = quantize(floats, quantization).slice();
  if (quantization.dtype === "float16") return [...new Uint16Array(bytes.buffer)];
  const stored = quantization.dtype === "uint8" ? bytes : new Uint16Array(bytes.buffer);
  return Array.from(stored, (number) => Math.fround(number * quantization.scale + quantization.min));
}

describe("quantize", () => {
  test.each<[string, readonly number[]]>([
    ["negative", [-10, -5.5, -1]],
    ["negative to zero", [-10, -3, 0]],
    ["negative to positive", [-7, 0, 0.1, 19]],
    ["zero to positive", [0, 3, 10]],
    ["positive", [2, 5, 11]],
  ])("keeps %s values within half a step", (_, values) => {
    for (const [dtype, steps] of [["uint8", 255] as const, ["uint16", 65535] as const]) {
      const step = (Math.max(...values) - Math.min(...values)) / steps;
      for (const [index, value] of roundTrip(values, dtype).entries()) {
        expect(Math.abs(value - (values[index] ?? Number.NaN))).toBeLessThan(step * 1.01);
      }
    }
  });

  test("stores zero exactly where the range has it", () => {
    expect(roundTrip([-0.7, 0, 0.31], "uint8")[1]).toBe(0);
    expect(roundTrip([-0.7, 0, 0.31], "uint16")[1]).toBe(0);
  });

  test("stores equal elements exactly", () => {
    expect(roundTrip([1.3, 1.3], "uint8")).toEqual([Math.fround(1.3), Math.fround(1.3)]);
    expect(quantizationOf("uint16", { least: 2, greatest: 2 })).toMatchObject({ min: 2, scale: 1 });
  });

  test("rounds halves to even", () => {
    const quantization = { dtype: "uint8", min: 0, scale: 1, original_dtype: "float32" } as const;
    expect([...quantize(Float32Array.of(0.5, 1.5, 2.5, -1, 300), quantization)]).toEqual([0, 2, 2, 0, 255]);
  });

  test("is undone by dequantize, and does the same again", () => {
    const floats = Float32Array.of(-0.7, -0.1, 0, 0.31, 12.5);
    for (const dtype of ["float16", "uint8", "uint16"] as const) {
      const quantization = quantizationOf(dtype, { least: -0.7, greatest: 12.5 });
      const stored = quantize(floats, quantization);
      const again = dequantize(stored, quantization, [5], new Float32Array(5));
      expect(Math.max(...again.map((value, index) => Math.abs(value - (floats[index] ?? 0))))).toBeLessThan(0.03);
      expect(quantize(again, quantization)).toEqual(stored);
    }
  });

  test("rounds to the nearest float16", () => {
    const cases: readonly (readonly [number, number])[] = [
      [0, 0],
      [-0, 0x8000],
      [1, 0x3c00],
      [-2, 0xc000],
      [1 + 2 ** -11, 0x3c00],
      [1 + 3 * 2 ** -11, 0x3c02],
      [2 ** -24, 1],
      [2 ** -25, 0],
      [1.5 * 2 ** -24, 2],
      [2 ** -14 - 2 ** -26, 0x0400],
      [2 ** -149, 0],
      [65504, 0x7bff],
      [65519, 0x7bff],
      [65520, 0x7c00],
      [-1e9, 0xfc00],
      [Number.POSITIVE_INFINITY, 0x7c00],
      [Number.NaN, 0x7e00],
    ];
    expect(
      roundTrip(
        cases.map(([value]) => value),
        "float16",
      ),
    ).toEqual(cases.map(([, bits]) => bits));
  });
});
