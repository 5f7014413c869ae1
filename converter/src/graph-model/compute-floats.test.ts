import { describe, expect, test } from "vitest";
import { memorySource } from "../../testing/memory-files.ts";
import { compute, transposeValue } from "../graph/compute.ts";
import type { TensorValue } from "../graph/graph.ts";
import { literal, numbersOf } from "../graph/literal.ts";
import { openCheckpoint } from "../saved-model/checkpoint.ts";
import { computeFloats } from "./compute-floats.ts";

function floats(shape: readonly number[], numbers: readonly number[]): TensorValue {
  const value = literal("DT_FLOAT", shape, numbers);
  if (value === undefined) throw new Error("not a float32");
  return value;
}

/** The numbers of a value that is computed when it is written. */
async function written(value: TensorValue | undefined): Promise<number[]> {
  if (value?.kind !== "computed") throw new Error(`expected a computed value, got ${value?.kind}`);
  return [...(await computeFloats(value, await openCheckpoint(memorySource({}), "variables")))];
}

/** More elements than are computed at once, the last of them beginning with `numbers`. */
const large = Array.from({ length: 3000 * 2 * 2 }, (_, at) => at % 7);

describe("computeFloats", () => {
  test("broadcasts a value per channel over a filter", async () => {
    const result = await written(compute("Mul", floats([3000, 2, 2], large), floats([2], [10, 100])));
    expect(result.slice(0, 8)).toEqual([0, 100, 20, 300, 40, 500, 60, 0]);
  });

  test("broadcasts over the first and the middle axes", async () => {
    const filter = floats([3000, 2, 2], large);
    const rows = await written(compute("AddV2", filter, floats([2, 1], [10, 20])));
    expect(rows.slice(0, 6)).toEqual([10, 11, 22, 23, 14, 15]);
    const slow = floats(
      [3000, 1, 1],
      Array.from({ length: 3000 }, (_, at) => 10 * at),
    );
    expect((await written(compute("AddV2", slow, filter))).slice(0, 8)).toEqual([0, 1, 2, 3, 14, 15, 16, 10]);
  });

  test("keeps the order of operands and rounds each result to float32", async () => {
    const third = compute("RealDiv", floats([], [1]), floats([12000], new Array(12000).fill(3)));
    expect((await written(third))[0]).toBe(Math.fround(1 / 3));
    const sum = third && compute("Sub", third, floats([], [1e-9]));
    expect((await written(sum))[0]).toBe(Math.fround(Math.fround(1 / 3) - Math.fround(1e-9)));
  });

  test("transposes", async () => {
    const result = await written(transposeValue(floats([6000, 2], large), [1, 0]));
    expect(result.slice(0, 4)).toEqual([0, 2, 4, 6]);
    expect(result.slice(6000, 6004)).toEqual([1, 3, 5, 0]);
  });
});

describe("compute", () => {
  test("computes small literals at once", () => {
    const value = compute("Mul", floats([2, 1], [1, 2]), floats([3], [1, 2, 3]));
    expect(value).toMatchObject({ kind: "literal", shape: [2, 3] });
    expect(value?.kind === "literal" && numbersOf(value)).toEqual([1, 2, 3, 2, 4, 6]);
  });

  test("computes integers as long as they fit", () => {
    const int32 = (number: number) => literal("DT_INT32", [], [number]) as TensorValue; // numbers that fit
    expect(compute("Mul", int32(2 ** 20), int32(4))).toMatchObject({ dtype: "DT_INT32" });
    expect(compute("Mul", int32(2 ** 20), int32(2 ** 20))).toBeUndefined();
    expect(compute("FloorDiv", int32(1), int32(0))).toBeUndefined();
  });

  test("leaves alone what doesn't fit, has several dtypes or would be much larger", () => {
    expect(compute("Mul", floats([2], [1, 2]), floats([3], [1, 2, 3]))).toBeUndefined();
    expect(compute("Mul", floats([1], [1]), literal("DT_INT32", [1], [1]) as TensorValue)).toBeUndefined();
    const long = floats([200], new Array(200).fill(1));
    expect(compute("Mul", long, { ...long, shape: [200, 1] })).toBeUndefined();
    expect(compute("Softmax", long)).toBeUndefined();
  });

  test("leaves alone what would take too many ops", () => {
    let value: TensorValue | undefined = { kind: "stored", dtype: "DT_FLOAT", shape: [2], key: "v", slice: null };
    for (let step = 0; step < 40; step++) value = value && compute("AddV2", value, value);
    expect(value).toBeUndefined();
  });
});
