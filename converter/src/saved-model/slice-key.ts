import type { Box } from "../graph/graph.ts";

/**
 * The tensor and the box of it that a checkpoint key stands for, or undefined for the key of a whole tensor.
 * Parts of a partitioned variable lie under binary keys in TensorFlow's order-preserving code: `00`, the name
 * (`00` as `00 ff`, `ff` as `ff 00`) and `00 01`, the rank, then start and length of each dimension (−1: all of it).
 */
export function decodeSliceKey(key: Uint8Array): { name: string; box: Box } | undefined {
  if (key[0] !== 0) return undefined;
  const name: number[] = [];
  let at = 1;
  for (; !(key[at] === 0 && key[at + 1] === 1); at += 1) {
    const byte = key[at];
    if (byte === undefined) return undefined;
    name.push(byte);
    if (byte === 0 || byte === 255) at += 1; // the byte that escapes it
  }
  const numbers = readNumbers(key.subarray(at + 2));
  if (numbers === undefined) return undefined;
  const [rank, ...extents] = numbers;
  if (rank === undefined || extents.length !== 2 * rank) return undefined;
  return {
    name: new TextDecoder().decode(Uint8Array.from(name)),
    box: { starts: extents.filter((_, index) => index % 2 === 0), lengths: extents.filter((_, index) => index % 2) },
  };
}

/** The rank, in as many bytes as its first byte says, then signed numbers. */
function readNumbers(bytes: Uint8Array): number[] | undefined {
  const rankBytes = bytes[0] ?? 0;
  const numbers = [bigEndian(bytes.subarray(1, 1 + rankBytes))];
  let at = 1 + rankBytes;
  while (at < bytes.length) {
    const first = bytes[at] ?? 0;
    // The only negative number in a key is −1, which is one byte; a positive one has as many leading ones as bytes.
    const length = first === 0x7f ? 1 : Math.clz32(~(first << 24));
    if (length === 0 || length > 6 || at + length > bytes.length) return undefined;
    const digits = Uint8Array.from(bytes.subarray(at, at + length));
    digits[0] = first & (0xff >> length);
    numbers.push(first === 0x7f ? -1 : bigEndian(digits));
    at += length;
  }
  return numbers;
}

function bigEndian(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
