import type { Tensor } from "@nearside/core";
import { describe, expect, test } from "vitest";
import { greatestError, outputErrors } from "./output-errors.ts";

const floats = (...values: readonly number[]): Tensor => ({
  dtype: "float32",
  shape: [values.length],
  data: Float32Array.from(values),
});
const integers = (...values: readonly number[]): Tensor => ({
  dtype: "int32",
  shape: [values.length],
  data: Int32Array.from(values),
});

describe("outputErrors", () => {
  test("measures over all runs", () => {
    const errors = outputErrors(
      [{ y: floats(1, 2) }, { y: floats(3.5, 0) }],
      [{ y: floats(1, 2) }, { y: floats(3, 0) }],
    );
    expect(errors.y).toEqual({
      maxAbsolute: 0.5,
      meanAbsolute: 0.125,
      maxRelative: 0.125,
      relative: Math.sqrt(0.25 / (1 + 4 + 9)),
    });
    expect(greatestError(errors)).toBe(errors.y?.relative);
  });

  test("counts integers that differ", () => {
    const { y } = outputErrors([{ y: integers(1, 700, 3, 4) }], [{ y: integers(1, 2, 3, 4) }]);
    expect(y).toEqual({ maxAbsolute: 1, meanAbsolute: 0.25, maxRelative: 1, relative: 0.25 });
  });

  test("takes the same infinities and NaN for right, and others for infinitely wrong", () => {
    const special = floats(Number.NaN, Number.POSITIVE_INFINITY);
    expect(outputErrors([{ y: special }], [{ y: special }]).y).toMatchObject({ maxAbsolute: 0, relative: 0 });
    const { y } = outputErrors([{ y: floats(Number.NaN, 1) }], [{ y: floats(0, 1) }]);
    expect(y).toMatchObject({ maxAbsolute: Number.POSITIVE_INFINITY, maxRelative: Number.POSITIVE_INFINITY });
  });

  test("says where a dtype or a shape differs, or an output lacks", () => {
    const want = [{ y: floats(1, 2) }];
    expect(outputErrors([{ y: floats(1) }], want).y).toMatchObject({
      maxRelative: Number.POSITIVE_INFINITY,
      problem: "expected float32 [2], got float32 [1]",
    });
    expect(outputErrors([{}], want).y?.problem).toBe("expected float32 [2], got nothing");
  });
});
