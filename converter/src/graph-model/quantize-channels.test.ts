import { type ChannelQuantization, dequantize, weightChannels } from "@nearside/core";
import { describe, expect, test } from "vitest";
import { quantizeChannels } from "./quantize-channels.ts";

const quantization = (...axes: readonly number[]): ChannelQuantization => ({
  dtype: "int8",
  axes,
  original_dtype: "float32",
});

/** Numbers that look random, channel by channel of another size. */
function numbers(shape: readonly number[], axes: readonly number[]): Float32Array {
  const { count, stride } = weightChannels(shape, axes);
  const length = shape.reduce((product, size) => product * size, 1);
  return Float32Array.from({ length }, (_, at) => Math.sin(at * at) * 10 ** ((Math.floor(at / stride) % count) % 5));
}

function roundTrip(values: Float32Array, shape: readonly number[], axes: readonly number[]): Float32Array {
  const stored = quantizeChannels(values, quantization(...axes), shape);
  return dequantize(stored, quantization(...axes), shape, new Float32Array(values.length));
}

describe("quantizeChannels", () => {
  test.each([
    [
      [3, 3, 8, 2],
      [2, 3],
    ],
    [[1, 1, 64, 10], [3]],
    [[10, 64], [0]],
    [[3, 3, 5, 16], [2]],
    [[40, 5], []],
  ])("keeps the elements of %j with channels on %j within a step of their channel", (shape, axes) => {
    const values = numbers(shape, axes);
    const again = roundTrip(values, shape, axes);
    const { count, stride } = weightChannels(shape, axes);
    for (let channel = 0; channel < count; channel++) {
      const places = [...values.keys()].filter((at) => Math.floor(at / stride) % count === channel);
      const size = Math.max(...places.map((at) => Math.abs(values[at] as number)));
      const errors = places.map((at) => (again[at] as number) - (values[at] as number));
      const step = size / 127;
      // Half a step of rounding makes 0.29 on average; what is rounded the other way and what is cut off makes more.
      expect(Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length)).toBeLessThan(0.5 * step);
      expect(Math.abs(errors.reduce((sum, error) => sum + error, 0))).toBeLessThan(step * (1 + places.length / 20));
    }
  });

  test("errs less than one scale for the whole tensor does", () => {
    const shape = [32, 5];
    const values = numbers(shape, [1]);
    const errorOfFirst = (again: Float32Array) =>
      again.reduce((sum, value, at) => (at % 5 === 0 ? sum + Math.abs(value - (values[at] as number)) : sum), 0);
    expect(errorOfFirst(roundTrip(values, shape, [1]))).toBeLessThan(errorOfFirst(roundTrip(values, shape, [])) / 50);
  });

  test("rounds so that the errors of a channel add up to next to nothing", () => {
    const values = Float32Array.from({ length: 100 }, (_, at) => (at === 0 ? 127 : 0.4));
    const again = roundTrip(values, [100, 1], [1]);
    expect(again[0]).toBe(127);
    expect(again.reduce((sum, value) => sum + value, 0)).toBeCloseTo(127 + 99 * 0.4, 0);
  });

  test("keeps zeros, and channels of nothing else", () => {
    const values = Float32Array.of(0, 0, 3, 0, 0, 0, -7, 0);
    expect([...roundTrip(values, [4, 2], [1])]).toEqual([
      0,
      0,
      expect.closeTo(3, 1),
      0,
      0,
      0,
      expect.closeTo(-7, 1),
      0,
    ]);
  });
});
