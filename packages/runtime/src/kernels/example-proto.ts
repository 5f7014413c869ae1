import { decodeText } from "@nearside/core";
import { invalid } from "./plain-tensors.ts";

/** The values of one feature of a tf.Example; exactly one of the lists. */
export interface Feature {
  readonly texts?: readonly string[];
  readonly floats?: readonly number[];
  readonly integers?: readonly bigint[];
}

/** Reads a serialized tf.Example: its features by name. Throws `invalid-argument` where the bytes aren't one. */
export function readExample(bytes: Uint8Array): ReadonlyMap<string, Feature> {
  const features = new Map<string, Feature>();
  for (const { field: outer, bytes: list } of readFields(bytes)) {
    if (outer !== 1 || !list) continue; // Example.features
    for (const { field, bytes: entry } of readFields(list)) {
      if (field !== 1 || !entry) continue; // Features.feature, a map
      const parts = new Map([...readFields(entry)].map((part) => [part.field, part.bytes ?? new Uint8Array()]));
      features.set(decodeText(parts.get(1) ?? new Uint8Array()), readFeature(parts.get(2) ?? new Uint8Array()));
    }
  }
  return features;
}

function readFeature(bytes: Uint8Array): Feature {
  let feature: Feature = {};
  for (const { field, bytes: list = new Uint8Array() } of readFields(bytes)) {
    const values = [...readFields(list)].filter((value) => value.field === 1);
    if (field === 1) feature = { texts: values.map((value) => decodeText(value.bytes ?? new Uint8Array())) };
    if (field === 2) feature = { floats: values.flatMap((value) => readFloats(value.bytes ?? new Uint8Array())) };
    if (field === 3) {
      feature = { integers: values.flatMap(({ varint, bytes }) => (bytes ? [...readVarints(bytes)] : [varint ?? 0n])) };
    }
  }
  return feature;
}

interface Field {
  readonly field: number;
  readonly varint?: bigint;
  /** Of a length-delimited field, or of one with four or eight bytes. */
  readonly bytes?: Uint8Array;
}

/** The fields of a protobuf message, in order. */
function* readFields(bytes: Uint8Array): Generator<Field> {
  let offset = 0;
  const varint = () => {
    const { value, end } = readVarint(bytes, offset);
    offset = end;
    return value;
  };
  const take = (length: number) => {
    if (offset + length > bytes.length) throw broken();
    offset += length;
    return bytes.subarray(offset - length, offset);
  };
  while (offset < bytes.length) {
    const tag = Number(varint());
    const field = tag >>> 3;
    const wireType = tag & 7;
    if (wireType === 0) yield { field, varint: BigInt.asIntN(64, varint()) };
    else if (wireType === 1) yield { field, bytes: take(8) };
    else if (wireType === 2) yield { field, bytes: take(Number(varint())) };
    else if (wireType === 5) yield { field, bytes: take(4) };
    else throw broken();
  }
}

function* readVarints(bytes: Uint8Array): Generator<bigint> {
  for (let offset = 0; offset < bytes.length; ) {
    const { value, end } = readVarint(bytes, offset);
    yield BigInt.asIntN(64, value);
    offset = end;
  }
}

function readVarint(bytes: Uint8Array, start: number): { value: bigint; end: number } {
  let value = 0n;
  for (let index = 0; index < 10; index++) {
    const byte = bytes[start + index];
    if (byte === undefined) break;
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) return { value, end: start + index + 1 };
  }
  throw broken();
}

/** One float or, packed, several. */
function readFloats(bytes: Uint8Array): readonly number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length >> 2 }, (_, index) => view.getFloat32(index * 4, true));
}

function broken() {
  return invalid("ParseExample", "expected a serialized tf.Example; its bytes are cut off or not one");
}
