import { joinBytes } from "../src/join-bytes.ts";

/** A field of a message to encode: its number and its value, by the value's type as TensorFlow would write it. */
export type EncodedField = readonly [number: number, value: number | bigint | string | Uint8Array | Float];

/** A number to encode as a 32-bit float. */
export interface Float {
  readonly float: number;
}

/** The bytes of a protocol buffer: numbers as varints, strings, messages and packed lists by their bytes. */
export function encodeProto(...fields: readonly EncodedField[]): Uint8Array {
  return concat(...fields.map(([number, value]) => encodeField(number, value)));
}

/** A fixed 32-bit field. */
export function encodeFixed32(number: number, value: number): Uint8Array {
  return concat(varint(number * 8 + 5), new Uint8Array(Uint32Array.of(value).buffer));
}

/** A number in base 128, least significant first; negative ones as 64-bit two's complement. */
export function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

/** One array of all the bytes. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return joinBytes(parts);
}

function encodeField(number: number, value: EncodedField[1]): Uint8Array {
  if (typeof value === "number" || typeof value === "bigint") return concat(varint(number * 8), varint(value));
  if (typeof value === "string") return encodeField(number, new TextEncoder().encode(value));
  if (value instanceof Uint8Array) return concat(varint(number * 8 + 2), varint(value.length), value);
  return concat(varint(number * 8 + 5), new Uint8Array(Float32Array.of(value.float).buffer));
}
