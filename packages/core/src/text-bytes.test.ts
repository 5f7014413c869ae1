import { expect, test } from "vitest";
import { decodeText, encodeText } from "./text-bytes.ts";

test.each(["", "größer", "😀", "\ufeffx"])("the text %j becomes its UTF-8 and comes back", (text) => {
  expect(encodeText(text)).toEqual(new TextEncoder().encode(text));
  expect(decodeText(encodeText(text))).toBe(text);
});

test("bytes that are not UTF-8 come back as they were", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  expect(encodeText(decodeText(bytes))).toEqual(bytes);
  expect(decodeText(Uint8Array.of(0x41, 0xff))).toBe("A\udcff");
});

test("a lone surrogate that stands for no byte becomes the replacement character", () => {
  expect(encodeText("\ud800")).toEqual(Uint8Array.of(0xef, 0xbf, 0xbd));
});
