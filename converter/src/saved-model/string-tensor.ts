import { damaged } from "../damaged.ts";
import { crc32c, maskCrc } from "./crc32c.ts";
import { WireReader } from "./wire-reader.ts";

/**
 * Decodes a string tensor of a checkpoint: a varint length per element, a checksum of the lengths, then all the bytes.
 * `crc` is the checksum to compare the entry's with: over each length as a little-endian uint32 (uint64 where it needs
 * that), the stored checksum and the bytes. Throws `data-loss`, naming `where`.
 */
export function decodeStringTensor(
  bytes: Uint8Array,
  count: number,
  where: string,
): { strings: readonly Uint8Array[]; crc: number } {
  // Each element takes at least the byte of its length, so a greater count is damage, not a reason to loop.
  if (count > bytes.length) throw damaged(where, `${count} strings`, `${bytes.length} bytes`);
  const reader = new WireReader(bytes, where);
  const lengths = Array.from({ length: count }, () => reader.varint());
  let crc = lengths.reduce((previous, length) => crc32c(littleEndian(length), previous), 0);
  let at = reader.position;
  if (at + 4 > bytes.length) throw damaged(where, "a checksum of the lengths", "the end");
  const stored = new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, true);
  if (stored !== maskCrc(crc)) throw damaged(where, `checksum ${stored} of the lengths`, String(maskCrc(crc)));
  crc = crc32c(bytes.subarray(at, at + 4), crc);
  at += 4;
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total !== bytes.length - at) throw damaged(where, `${total} bytes of text`, String(bytes.length - at));
  crc = crc32c(bytes.subarray(at), crc);
  const strings = lengths.map((length) => {
    at += length;
    return bytes.subarray(at - length, at);
  });
  return { strings, crc };
}

function littleEndian(length: number): Uint8Array {
  const isWide = length > 0xffffffff;
  const view = new DataView(new ArrayBuffer(isWide ? 8 : 4));
  view.setUint32(0, length % 2 ** 32, true);
  if (isWide) view.setUint32(4, Math.floor(length / 2 ** 32), true);
  return new Uint8Array(view.buffer);
}
