import { expect, test } from "vitest";
import { formatFloat } from "./format-float.ts";

test.each([
  [0.2, "0.2"],
  [1, "1.0"],
  [-0, "-0.0"],
  [2.5, "2.5"],
  [100000, "100000.0"],
  [9e6, "9e+06"],
  [3e-5, "3e-05"],
  [1e-4, "0.0001"],
  [6e-7, "6e-07"],
  [16777216, "16777216.0"],
  [1.2345678, "1.23456776"],
  [3.4028234663852886e38, "3.40282347e+38"],
  [1e-45, "1.4013e-45"],
  [Number.NaN, "NaN"],
  [Number.NEGATIVE_INFINITY, "-Infinity"],
])("formatFloat writes the float32 %d as TensorFlow Serving does: %s", (value, text) => {
  expect(formatFloat(Math.fround(value), "float32")).toBe(text);
});

test.each([
  [0.1, "0.1"],
  [0.1 + 0.2, "0.30000000000000004"],
  [1e22, "1e+22"],
  [2 ** 53, "9007199254740992.0"],
])("formatFloat writes the float64 %d as %s", (value, text) => {
  expect(formatFloat(value, "float64")).toBe(text);
});

test("formatFloat writes every float32 so that it reads back the same", () => {
  const [bits, float] = [new Uint32Array(1), new Float32Array(1)];
  for (let sample = 1; sample < 0x7f800000; sample += 104_729) {
    bits[0] = sample;
    float.set(new Float32Array(bits.buffer));
    expect(Math.fround(Number(formatFloat(float[0] as number, "float32")))).toBe(float[0]);
  }
});
