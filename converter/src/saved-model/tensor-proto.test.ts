import { describe, expect, test } from "vitest";
import { concat, type EncodedField, encodeProto, varint } from "../../testing/encode-proto.ts";
import { decode } from "./messages.ts";
import { literalFromProto } from "./tensor-proto.ts";

const float = 1;
const int32 = 3;
const string = 7;

function literal(dtype: number, sizes: readonly number[], ...fields: EncodedField[]) {
  const shape = encodeProto(...sizes.map((size) => [2, encodeProto([1, size])] as const));
  return literalFromProto(decode("TensorProto", encodeProto([1, dtype], [2, shape], ...fields), "test"), "test");
}

function int32s(value: ReturnType<typeof literal>): number[] {
  return value?.data instanceof Uint8Array ? [...new Int32Array(value.data.slice().buffer)] : [];
}

describe("literalFromProto", () => {
  test("takes raw bytes as they are", () => {
    const bytes = new Uint8Array(Int32Array.of(1, -2).buffer);
    expect(int32s(literal(int32, [2], [4, bytes]))).toEqual([1, -2]);
  });

  test("fills a tensor with the last value that is listed", () => {
    expect(int32s(literal(int32, [4], [7, concat(varint(1), varint(9))]))).toEqual([1, 9, 9, 9]);
  });

  test("fills large tensors, and several elements, as it fills small ones", () => {
    const values = int32s(literal(int32, [100_000], [7, concat(varint(1), varint(2), varint(9))]));
    expect(values.slice(0, 4)).toEqual([1, 2, 9, 9]);
    expect(values.slice(2).every((value) => value === 9)).toBe(true);
  });

  test("takes zeros where nothing is listed", () => {
    expect(int32s(literal(int32, [2, 1]))).toEqual([0, 0]);
    expect(literal(string, [2])?.data).toEqual([new Uint8Array(0), new Uint8Array(0)]);
  });

  test("reads a scalar and a tensor without elements", () => {
    expect(literal(float, [], [5, { float: 1.5 }])?.data).toEqual(new Uint8Array(Float32Array.of(1.5).buffer));
    expect(int32s(literal(int32, [0, 3]))).toEqual([]);
  });

  test("gives nothing for a resource", () => {
    expect(literal(20, [])).toBeUndefined();
  });

  test.each([
    ["bytes that don't fill the shape", () => literal(int32, [3], [4, new Uint8Array(8)])],
    ["more values than the shape has", () => literal(int32, [1], [7, concat(varint(1), varint(2))])],
    ["a shape that fills memory", () => literal(int32, [2 ** 20, 2 ** 20])],
    ["a shape of strings that fills memory", () => literal(string, [2 ** 40])],
    ["an unknown dimension", () => literal(int32, [-1])],
  ])("refuses %s", (_, make) => {
    expect(make).toThrow(expect.objectContaining({ code: "data-loss" }));
  });
});
