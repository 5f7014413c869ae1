import { expect, test } from "vitest";
import { crc32c, maskCrc } from "./crc32c.ts";

const digits = new TextEncoder().encode("123456789");

test("crc32c gives the polynomial's check value", () => {
  expect(crc32c(digits)).toBe(0xe3069283);
});

test("crc32c continues an earlier checksum", () => {
  expect(crc32c(digits.subarray(4), crc32c(digits.subarray(0, 4)))).toBe(crc32c(digits));
});

test("maskCrc rotates and offsets", () => {
  expect(maskCrc(0)).toBe(0xa282ead8);
  expect(maskCrc(0x8000)).toBe(0xa282ead9);
});

test("crc32c gives the same for any length, whether the bytes come at once or one by one", () => {
  const bytes = Uint8Array.from({ length: 40 }, (_, index) => (index * 37) ^ 0xa5);
  for (let length = 0; length <= bytes.length; length++) {
    const part = bytes.subarray(0, length);
    const oneByOne = [...part].reduce((crc, byte) => crc32c(Uint8Array.of(byte), crc), 0);
    expect(crc32c(part)).toBe(oneByOne);
  }
});
