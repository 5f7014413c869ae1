import { describe, expect, test } from "vitest";
import { checkQuantizeOptions, quantizedDTypeFor, unusedPatterns } from "./quantize-options.ts";

describe("quantizedDTypeFor", () => {
  test.each([
    ["*conv*", "model/conv1/kernel", true],
    ["*conv*", "model/Conv1/kernel", false],
    ["conv?", "conv1", true],
    ["conv?", "conv12", false],
    ["conv[12]", "conv2", true],
    ["conv[!12]", "conv2", false],
    ["conv[!12]", "conv3", true],
    ["conv[0-9]", "conv7", true],
    ["conv[9-0]", "conv7", false],
    ["conv[]^]", "conv]", true],
    ["a.b", "axb", false],
    ["a[b", "a[b", true],
    ["a^$", "a^$", true],
    ["*", "", true],
  ])("pattern %s on %s: %s", (pattern, name, matches) => {
    expect(quantizedDTypeFor(name, { uint8: [pattern] })).toBe(matches ? "uint8" : undefined);
  });

  test("takes what no pattern matches for the type that is true", () => {
    const options = { float16: true, uint8: ["conv*"] } as const;
    expect(quantizedDTypeFor("conv1", options)).toBe("uint8");
    expect(quantizedDTypeFor("dense", options)).toBe("float16");
  });

  test("refuses a weight that two types claim", () => {
    expect(() => quantizedDTypeFor("conv1", { uint8: ["conv*"], uint16: ["*1"] })).toThrow(
      expect.objectContaining({ code: "invalid-argument", message: expect.stringContaining('"conv1"') }),
    );
  });
});

describe("checkQuantizeOptions", () => {
  test("refuses two types for the rest and types that don't exist", () => {
    expect(() => checkQuantizeOptions({ uint8: true, uint16: true })).toThrow("uint8 and uint16");
    expect(() => checkQuantizeOptions({ int4: true } as object)).toThrow('"int4"');
    expect(() => checkQuantizeOptions({ uint8: true, uint16: ["a"] })).not.toThrow();
  });
});

test("unusedPatterns lists what matches nothing", () => {
  expect(unusedPatterns(["conv1"], { uint8: ["conv*", "dense*"], float16: true })).toEqual([["uint8", "dense*"]]);
});
