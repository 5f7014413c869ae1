import type { Tensor } from "@nearside/core";
import { describe, expect, test } from "vitest";
import { decodeProto, encodeProto } from "./codec.ts";
import type { Draft } from "./encode.ts";
import { fromTensorProto, toTensorProto } from "./tensor-proto.ts";

function read(draft: Draft<Parameters<typeof fromTensorProto>[0]>): Tensor {
  const bytes = encodeProto("tensorflow.TensorProto", draft);
  return fromTensorProto(decodeProto("tensorflow.TensorProto", bytes, "here"), 'input "x"');
}

const shapeOf = (...sizes: number[]) => ({ dim: sizes.map((size) => ({ size })) });

describe("toTensorProto and fromTensorProto", () => {
  test.each<Tensor>([
    { dtype: "float32", shape: [2, 2], data: Float32Array.of(0.1, -0, Number.NaN, Infinity) },
    { dtype: "float64", shape: [1], data: Float64Array.of(0.1) },
    { dtype: "int8", shape: [2], data: Int8Array.of(-128, 127) },
    { dtype: "uint8", shape: [2], data: Uint8Array.of(0, 255) },
    { dtype: "uint16", shape: [1], data: Uint16Array.of(65535) },
    { dtype: "int32", shape: [], data: Int32Array.of(-1) },
    { dtype: "uint32", shape: [1], data: Uint32Array.of(2 ** 32 - 1) },
    { dtype: "int64", shape: [2], data: BigInt64Array.of(-(2n ** 63n), 9007199254740993n) },
    { dtype: "uint64", shape: [1], data: BigUint64Array.of(2n ** 64n - 1n) },
    { dtype: "bool", shape: [2], data: Uint8Array.of(1, 0) },
    { dtype: "complex64", shape: [1], data: Float32Array.of(1, -1) },
    { dtype: "string", shape: [2], data: ["é\0", "\udcff"] },
    { dtype: "float32", shape: [0, 3], data: new Float32Array() },
  ])("carry $dtype $shape, as values and as content", (tensor) => {
    expect(read(toTensorProto(tensor))).toEqual(tensor);
    expect(read(toTensorProto(tensor, { asContent: true }))).toEqual(tensor);
  });
});

describe("fromTensorProto", () => {
  test("fills a shape with the last value", () => {
    expect(read({ dtype: 1, tensorShape: shapeOf(4), floatVal: [1, 2] }).data).toEqual(Float32Array.of(1, 2, 2, 2));
    expect(read({ dtype: 3, tensorShape: shapeOf(2) }).data).toEqual(new Int32Array(2));
  });

  test.each<[string, Draft<Parameters<typeof fromTensorProto>[0]>, string]>([
    ["no dtype", {}, "invalid-argument"],
    ["a dtype that no tensor has", { dtype: 19, tensorShape: shapeOf(1), halfVal: [1] }, "unsupported"],
    [
      "content of another size",
      { dtype: 1, tensorShape: shapeOf(2), tensorContent: new Uint8Array(4) },
      "invalid-argument",
    ],
    ["more values than the shape", { dtype: 1, tensorShape: shapeOf(1), floatVal: [1, 2] }, "invalid-argument"],
    ["a negative dimension", { dtype: 1, tensorShape: shapeOf(-1), floatVal: [1] }, "invalid-argument"],
    ["a shape beyond memory", { dtype: 1, tensorShape: shapeOf(2 ** 30, 2 ** 30), floatVal: [1] }, "invalid-argument"],
    [
      "a shape of gigabytes from one value",
      { dtype: 1, tensorShape: shapeOf(2 ** 30), floatVal: [1] },
      "invalid-argument",
    ],
    ["an unknown rank", { dtype: 1, tensorShape: { unknownRank: true }, floatVal: [1] }, "invalid-argument"],
  ])("refuses %s", (_what, draft, code) => {
    expect(() => read(draft)).toThrow(expect.objectContaining({ code }));
  });
});
