import { describe, expect, test } from "vitest";
import type { DataType } from "../graph/data-type.ts";
import { storageOf } from "./weight-dtype.ts";

const bytes = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

function floats(dtype: DataType, array: ArrayBufferView): number[] {
  return [...new Float32Array(storageOf(dtype, "test").convert(bytes(array), "test").slice().buffer)];
}

function ints(dtype: DataType, array: ArrayBufferView): number[] {
  return [...new Int32Array(storageOf(dtype, "test").convert(bytes(array), "test").slice().buffer)];
}

describe("storageOf", () => {
  test("stores narrow and wide floats as float32", () => {
    expect(floats("DT_DOUBLE", Float64Array.of(0.5, -3))).toEqual([0.5, -3]);
    expect(floats("DT_HALF", Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00, 0x7bff))).toEqual([
      1,
      -2,
      2 ** -24,
      Infinity,
      65504,
    ]);
    expect(floats("DT_BFLOAT16", Uint16Array.of(0x3f80, 0xc000))).toEqual([1, -2]);
  });

  test("widens small integers to int32", () => {
    expect(ints("DT_INT8", Int8Array.of(-1, 5))).toEqual([-1, 5]);
    expect(ints("DT_UINT8", Uint8Array.of(255))).toEqual([255]);
    expect(ints("DT_INT16", Int16Array.of(-300))).toEqual([-300]);
    expect(ints("DT_UINT16", Uint16Array.of(65535))).toEqual([65535]);
  });

  test("takes the ends of int64 for those of int32", () => {
    expect(ints("DT_INT64", BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n), -7n))).toEqual([
      2147483647, -2147483648, -7,
    ]);
  });

  test.each<[DataType, ArrayBufferView]>([
    ["DT_INT64", BigInt64Array.of(1n, 2n ** 40n)],
    ["DT_UINT32", Uint32Array.of(1, 2 ** 31)],
    ["DT_UINT64", BigUint64Array.of(1n, 2n ** 63n)],
  ])("refuses %s beyond int32, naming tensor and element", (dtype, array) => {
    expect(() => storageOf(dtype, "test").convert(bytes(array), 'constant "c"')).toThrow(
      /^constant "c": element 1 is \d+/,
    );
  });

  test("refuses types that TensorFlow.js has no weights of", () => {
    expect(() => storageOf("DT_QINT8", 'constant "c"')).toThrow(expect.objectContaining({ code: "unsupported" }));
  });
});
