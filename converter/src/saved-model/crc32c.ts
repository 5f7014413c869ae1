/**
 * CRC-32C (Castagnoli, reflected polynomial 0x82f63b78) of `bytes`; `previous` continues a checksum over the bytes
 * before them.
 */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  let crc = ~previous;
  let at = 0;
  for (const end = bytes.length - 7; at < end; at += 8) {
    crc =
      lookUp(7, bytes[at], crc) ^
      lookUp(6, bytes[at + 1], crc >>> 8) ^
      lookUp(5, bytes[at + 2], crc >>> 16) ^
      lookUp(4, bytes[at + 3], crc >>> 24) ^
      lookUp(3, bytes[at + 4]) ^
      lookUp(2, bytes[at + 5]) ^
      lookUp(1, bytes[at + 6]) ^
      lookUp(0, bytes[at + 7]);
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ lookUp(0, bytes[at], crc);
  return ~crc >>> 0;
}

/** What a byte, mixed with the low byte of `crc`, adds to the checksum when `distance` bytes come after it. */
function lookUp(distance: number, byte: number | undefined, crc = 0): number {
  return tables[(distance << 8) | (((byte as number) ^ crc) & 255)] as number; // both in range
}

/** The form in which TensorFlow stores a checksum of data that may itself hold checksums: rotated and offset. */
export function maskCrc(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Eight bytes at a time take eight tables of 256: M. E. Kounavis and F. L. Berry, "A Systematic Approach to Building
 * High Performance Software-Based CRC Generators" (2005). */
const tables = new Int32Array(8 * 256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  tables[byte] = crc;
}
for (let index = 256; index < tables.length; index++) {
  const before = tables[index - 256] as number; // one byte less after it
  tables[index] = (before >>> 8) ^ (tables[before & 255] as number);
}
