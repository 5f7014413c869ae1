import { damaged } from "../damaged.ts";
import { WireReader } from "./wire-reader.ts";

/**
 * Decompresses a raw snappy block: a varint length, then literals and copies of earlier output.
 * Throws `data-loss`, naming `where`, for anything else.
 */
export function decompressSnappy(input: Uint8Array, where: string): Uint8Array {
  const reader = new WireReader(input, where);
  const length = reader.varint();
  // The best that snappy does is to copy 64 bytes with 3, so a block that is said to grow more isn't one.
  if (length > input.length * 32) throw damaged(where, `a block of at most ${input.length * 32} bytes`, String(length));
  const output = new Uint8Array(length);
  let from = reader.position;
  let to = 0;
  while (from < input.length) {
    const element = readElement(input, from, where);
    const { distance } = element;
    const isInside = element.length <= length - to && (distance === null || (distance > 0 && distance <= to));
    if (!isInside) throw damaged(where, `a block of ${length} bytes`, `${element.length} more bytes at ${to}`);
    if (distance === null) {
      output.set(input.subarray(element.end - element.length, element.end), to);
      to += element.length;
    } else {
      // Byte by byte: a copy may overlap what it writes.
      for (const end = to + element.length; to < end; to++) output[to] = output[to - distance] ?? 0;
    }
    from = element.end;
  }
  if (to !== length) throw damaged(where, `a block of ${length} bytes`, String(to));
  return output;
}

/** A copy of `length` bytes from `distance` bytes back, or a literal (`distance` null), whose bytes end at `end`. */
interface Element {
  readonly length: number;
  readonly distance: number | null;
  readonly end: number;
}

function readElement(input: Uint8Array, at: number, where: string): Element {
  const tag = input[at] ?? 0;
  const kind = tag & 3;
  const byte = (offset: number) => {
    const value = input[at + offset];
    if (value === undefined) throw damaged(where, `a byte at ${at + offset} of a block`, "the end");
    return value;
  };
  if (kind === 1) return { length: ((tag >> 2) & 7) + 4, distance: ((tag >> 5) << 8) | byte(1), end: at + 2 };
  if (kind === 2) return { length: (tag >> 2) + 1, distance: byte(1) | (byte(2) << 8), end: at + 3 };
  if (kind === 3) {
    const distance = (byte(1) | (byte(2) << 8) | (byte(3) << 16) | (byte(4) << 24)) >>> 0;
    return { length: (tag >> 2) + 1, distance, end: at + 5 };
  }
  const lengthBytes = Math.max(0, (tag >> 2) - 59); // 60…63: the length − 1 follows in 1…4 bytes
  let length = lengthBytes === 0 ? (tag >> 2) + 1 : 1;
  for (let index = 0; index < lengthBytes; index++) length += byte(1 + index) * 256 ** index;
  const end = at + 1 + lengthBytes + length;
  if (end > input.length) throw damaged(where, `a literal of ${length} bytes`, String(input.length - at - 1));
  return { length, distance: null, end };
}
