import { describe, expect, test } from "vitest";
import { decompressSnappy } from "./snappy.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const letters = (from: string) => [...new TextEncoder().encode(from)];

describe("decompressSnappy", () => {
  test("reads literals", () => {
    expect(text(decompressSnappy(Uint8Array.of(3, (3 - 1) << 2, ...letters("abc")), "test"))).toBe("abc");
  });

  test("reads a literal whose length takes a byte of its own", () => {
    const long = "x".repeat(100);
    expect(text(decompressSnappy(Uint8Array.of(100, 60 << 2, 99, ...letters(long)), "test"))).toBe(long);
  });

  test("reads copies that overlap what they write", () => {
    const copy = [((8 - 4) << 2) | 1, 2]; // 8 bytes from 2 bytes back
    expect(text(decompressSnappy(Uint8Array.of(10, 1 << 2, ...letters("ab"), ...copy), "test"))).toBe("ababababab");
  });

  test("reads copies with a two-byte distance", () => {
    const copy = [((2 - 1) << 2) | 2, 3, 0];
    expect(text(decompressSnappy(Uint8Array.of(5, 2 << 2, ...letters("abc"), ...copy), "test"))).toBe("abcab");
  });

  test.each([
    ["a length that no such input has", [0xff, 0xff, 0xff, 0xff, 0x0f, 0]],
    ["a copy from before the beginning", [9, 0, 97, ((8 - 4) << 2) | 1, 5]],
    ["a literal beyond the end", [9, 8 << 2, 97]],
    ["less than it announces", [9, 0, 97]],
  ])("refuses %s", (_, bytes) => {
    expect(() => decompressSnappy(Uint8Array.from(bytes), "test")).toThrow(
      expect.objectContaining({ code: "data-loss" }),
    );
  });
});
