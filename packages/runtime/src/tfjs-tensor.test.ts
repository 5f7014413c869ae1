import type { Tensor } from "@nearside/core";
import { memory } from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openCpuBackend } from "./backends/cpu.ts";
import type { LoadedBackend } from "./backends/loaded-backend.ts";
import { fromTfjs, toDecimals, toTfjs } from "./tfjs-tensor.ts";

let backend: LoadedBackend;
beforeAll(async () => {
  backend = await openCpuBackend();
});
afterAll(() => backend?.close());

const tensors: readonly Tensor[] = [
  { dtype: "float32", shape: [2], data: Float32Array.of(0.5, Number.NaN) },
  { dtype: "float64", shape: [1], data: Float64Array.of(0.25) },
  { dtype: "int8", shape: [1], data: Int8Array.of(-8) },
  { dtype: "uint8", shape: [1], data: Uint8Array.of(255) },
  { dtype: "int16", shape: [1], data: Int16Array.of(-300) },
  { dtype: "uint16", shape: [1], data: Uint16Array.of(60_000) },
  { dtype: "int32", shape: [], data: Int32Array.of(-(2 ** 31)) },
  { dtype: "uint32", shape: [1], data: Uint32Array.of(2 ** 31 - 1) },
  { dtype: "int64", shape: [1], data: BigInt64Array.of(-5n) },
  { dtype: "uint64", shape: [1], data: BigUint64Array.of(5n) },
  { dtype: "bool", shape: [2], data: Uint8Array.of(1, 0) },
  { dtype: "string", shape: [2], data: ["größer", ""] },
  { dtype: "complex64", shape: [2], data: Float32Array.of(1, 2, 3, 4) },
];

test.each(tensors)(
  "a $dtype tensor comes back from the backend as it went, and leaves nothing there",
  async (tensor) => {
    const before = memory().numTensors;
    const there = toTfjs(tensor, "x");
    expect(await fromTfjs(there, tensor.dtype)).toEqual(tensor);
    there.dispose();
    expect(memory().numTensors).toBe(before);
  },
);

test.each([
  { dtype: "uint32", shape: [1], data: Uint32Array.of(2 ** 31) },
  { dtype: "int64", shape: [2], data: BigInt64Array.of(0n, 2n ** 40n) },
  { dtype: "uint64", shape: [1], data: BigUint64Array.of(2n ** 63n) },
] as const)("a $dtype that int32 cannot hold is refused, not wrapped around", (tensor) => {
  expect(() => toTfjs(tensor, 'input "x"')).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  expect(() => toTfjs(tensor, 'input "x"')).toThrow(/input "x": expected values within int32/);
});

test("an integer of any size has its decimal digits as text", () => {
  const data = BigInt64Array.of(2n ** 62n + 1n, -7n, 0n);
  expect(toDecimals({ dtype: "int64", shape: [1, 3], data })).toEqual({
    dtype: "string",
    shape: [1, 3],
    data: ["4611686018427387905", "-7", "0"],
  });
});
