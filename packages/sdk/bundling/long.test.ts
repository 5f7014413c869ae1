import { expect, test } from "vitest";
import Long from "./long.mjs";

const a = Long.fromString("c3a5c85c97cb3127", true, 16);

test("Long wraps around at 64 bits", () => {
  const value = 0xc3a5c85c97cb3127n;
  expect(a.toBigInt()).toBe(value);
  expect(a.add(a).toBigInt()).toBe(BigInt.asUintN(64, value * 2n));
  expect(a.mul(a).toBigInt()).toBe(BigInt.asUintN(64, value * value));
  expect(a.shl(60).toBigInt()).toBe(0x7000000000000000n);
  expect(a.shru(60).toBigInt()).toBe(0xcn);
  expect(a.xor(a).toBigInt()).toBe(0n);
  expect(a.and(0xff).or(Long.fromNumber(0x100)).getLowBitsUnsigned()).toBe(0x127);
  expect(a.modulo(1000).getLowBitsUnsigned()).toBe(Number(value % 1000n));
});

test("Long reads little-endian bytes", () => {
  expect(Long.fromBytes([1, 2, 3, 255]).getLowBitsUnsigned()).toBe(0xff030201);
});
