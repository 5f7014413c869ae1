import { describe, expect, test } from "vitest";
import { decodeSliceKey } from "./slice-key.ts";

describe("decodeSliceKey", () => {
  test("reads the name and the extents that TensorFlow wrote", () => {
    const key = Uint8Array.of(0x00, 0x77, 0x00, 0x01, 0x01, 0x02, 0x80, 0x82, 0x80, 0x83);
    expect(decodeSliceKey(key)).toEqual({ name: "w", box: { starts: [0, 0], lengths: [2, 3] } });
  });

  test("reads −1 for a whole dimension and numbers of two bytes", () => {
    const key = Uint8Array.of(0x00, 0x77, 0x00, 0x01, 0x01, 0x02, 0xc1, 0x2c, 0xc0, 0x64, 0x80, 0x7f);
    expect(decodeSliceKey(key)?.box).toEqual({ starts: [300, 0], lengths: [100, -1] });
  });

  test("reads names with escaped bytes", () => {
    const key = Uint8Array.of(0x00, 0x61, 0x00, 0xff, 0x62, 0x00, 0x01, 0x01, 0x00);
    expect(decodeSliceKey(key)?.name).toBe("a\0b");
  });

  test("leaves the keys of whole tensors alone", () => {
    expect(decodeSliceKey(new TextEncoder().encode("dense/kernel"))).toBeUndefined();
    expect(decodeSliceKey(new Uint8Array(0))).toBeUndefined();
  });
});
