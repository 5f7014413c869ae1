import { describe, expect, test } from "vitest";
import { parseManifest } from "./manifest.ts";
import { dequantize, quantizedBytes, weightChannels } from "./quantization.ts";

const int8 = { dtype: "int8", axes: [1], original_dtype: "float32" } as const;

describe("dequantize", () => {
  test("multiplies each element by its channel's bfloat16", () => {
    const halves = [0x3f80, 0x4000, 0xbf00]; // 1, 2, −0.5
    const stored = Int8Array.of(1, 2, 3, -4, -5, -128);
    const scales = new Uint8Array(Uint16Array.from(halves).buffer);
    const bytes = Uint8Array.from([...new Uint8Array(stored.buffer), ...scales]);
    expect([...dequantize(bytes, int8, [2, 3])]).toEqual([1, 4, -1.5, -4, -10, 64]);
    expect(bytes.length).toBe(quantizedBytes(int8, [2, 3]));
  });

  test("reads every kind of float16, at odd places, too", () => {
    const halves = Uint16Array.of(0, 0x8000, 1, 0x8001, 0x03ff, 0x0400, 0x3c00, 0xc000, 0x7bff, 0xfc00, 0x7e00);
    const bytes = Uint8Array.of(9, ...new Uint8Array(halves.buffer)).subarray(1);
    const want = [
      0,
      -0,
      2 ** -24,
      -(2 ** -24),
      1023 * 2 ** -24,
      2 ** -14,
      1,
      -2,
      65504,
      Number.NEGATIVE_INFINITY,
      Number.NaN,
    ];
    expect([...dequantize(bytes, { dtype: "float16", original_dtype: "float32" }, [11])]).toEqual(want);
  });

  test("computes what codes stand for in float64, and rounds integers", () => {
    const affine = { min: -0.1, scale: 0.3 } as const;
    const floats = dequantize(Uint8Array.of(0, 255), { ...affine, dtype: "uint8", original_dtype: "float32" }, [2]);
    expect([...floats]).toEqual([Math.fround(-0.1), Math.fround(255 * 0.3 - 0.1)]);
    const integers = dequantize(
      Uint8Array.of(2, 0, 0, 1),
      { ...affine, dtype: "uint16", original_dtype: "int32" },
      [2],
    );
    expect(integers).toEqual(Int32Array.of(1, 77)); // 0.5 and 76.7
  });

  test("puts elements where it is told to", () => {
    const memory = new Float32Array(3);
    dequantize(Uint8Array.of(1, 0x80, 0x3f), int8, [1, 1], memory.subarray(1, 2));
    expect([...memory]).toEqual([0, 1, 0]);
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
