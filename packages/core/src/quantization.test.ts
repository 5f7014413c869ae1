import { describe, expect, test } from "vitest";
import { parseManifest } from "./manifest.ts";
import { dequantizeChannels, quantizedBytes, weightChannels } from "./quantization.ts";

const int8 = { dtype: "int8", axes: [1], original_dtype: "float32" } as const;

describe("dequantizeChannels", () => {
  test("multiplies each element by its channel's bfloat16", () => {
    const halves = [0x3f80, 0x4000, 0xbf00]; // 1, 2, −0.5
    const stored = Int8Array.of(1, 2, 3, -4, -5, -128);
    const scales = new Uint8Array(Uint16Array.from(halves).buffer);
    const bytes = Uint8Array.from([...new Uint8Array(stored.buffer), ...scales]);
    expect([...dequantizeChannels(bytes, int8, [2, 3])]).toEqual([1, 4, -1.5, -4, -10, 64]);
    expect(bytes.length).toBe(quantizedBytes(int8, [2, 3]));
  });

  test("finds the channels on any axes in a row", () => {
    expect(weightChannels([3, 3, 8, 2], [2, 3])).toEqual({ count: 16, stride: 1 });
    expect(weightChannels([10, 4], [0])).toEqual({ count: 10, stride: 4 });
    expect(weightChannels([10, 4], [])).toEqual({ count: 1, stride: 40 });
  });
});

describe("parseManifest", () => {
  const parse = (weight: object) =>
    parseManifest(
      JSON.stringify({
        format: "graph-model",
        signature: {},
        modelTopology: {},
        weightsManifest: [{ paths: [], weights: [{ name: "w", dtype: "float32", shape: [2, 3], ...weight }] }],
      }),
    ).weightGroups[0]?.weights[0]?.quantization;

  test.each([
    [{ quantization: int8 }, int8],
    [{ quantization: { ...int8, axes: [] } }, { ...int8, axes: [] }],
    [{ quantization: { dtype: "float16" } }, { dtype: "float16", original_dtype: "float32" }],
    [
      { dtype: "int32", quantization: { dtype: "uint8", min: -1, scale: 0.5 } },
      { dtype: "uint8", min: -1, scale: 0.5, original_dtype: "int32" },
    ],
  ])("reads the quantisation of %j", (weight, quantization) => {
    expect(parse(weight)).toEqual(quantization);
  });

  test.each([
    { quantization: { dtype: "int4" } },
    { quantization: { dtype: "int8" } },
    { quantization: { dtype: "int8", axes: [2] } },
    { quantization: { dtype: "int8", axes: [-1] } },
    { quantization: { dtype: "int8", axes: [1, 0] } },
    { quantization: { dtype: "int8", axes: ["1"] } },
    { quantization: { dtype: "int8", axes: [0.5] } },
    { dtype: "int32", quantization: int8 },
    { dtype: "int32", quantization: { dtype: "float16" } },
    { quantization: { dtype: "uint8", min: 0 } },
    { quantization: { dtype: "uint16", min: "0", scale: 1 } },
    { dtype: "bool", quantization: { dtype: "uint8", min: 0, scale: 1 } },
    { quantization: [] },
  ])("refuses the quantisation of %j, naming the weight", (weight) => {
    expect(() => parse(weight)).toThrow(
      expect.objectContaining({ code: "data-loss", message: expect.stringContaining('quantization of "w"') }),
    );
  });
});
