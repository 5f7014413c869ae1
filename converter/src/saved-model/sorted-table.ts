import { damaged } from "../damaged.ts";
import { crc32c, maskCrc } from "./crc32c.ts";
import { decompressSnappy } from "./snappy.ts";
import { WireReader } from "./wire-reader.ts";

/** A key and its value, both views into the table's bytes where it isn't compressed. */
export interface TableEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/**
 * Reads a LevelDB-style sorted string table, the format of `variables.index`: blocks of prefix-compressed entries, an
 * index block that tells where they are, a 48-byte footer. Every block's checksum is checked.
 * Throws `data-loss`, naming `where`, for bytes that are cut short or damaged.
 */
export function readSortedTable(bytes: Uint8Array, where: string): TableEntry[] {
  const footer = bytes.subarray(Math.max(0, bytes.length - footerBytes));
  if (footer.length < footerBytes || !magic.every((byte, index) => footer[40 + index] === byte)) {
    throw damaged(where, "the footer of a sorted string table", `${bytes.length} bytes without it`);
  }
  const handles = new WireReader(footer, where);
  readHandle(handles); // the metaindex, which is empty in checkpoints
  const index = readBlock(bytes, readHandle(handles), where);
  return readEntries(index, where).flatMap(({ value }) =>
    readEntries(readBlock(bytes, readHandle(new WireReader(value, where)), where), where),
  );
}

const footerBytes = 48;
const magic = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb] as const;
const trailerBytes = 5; // the compression and the checksum, behind each block

interface BlockHandle {
  readonly offset: number;
  readonly size: number;
}

function readHandle(reader: WireReader): BlockHandle {
  return { offset: reader.varint(), size: reader.varint() };
}

function readBlock(bytes: Uint8Array, { offset, size }: BlockHandle, where: string): Uint8Array {
  const end = offset + size;
  if (end + trailerBytes > bytes.length) {
    throw damaged(where, `a block at ${offset} of ${size} bytes`, `a file of ${bytes.length}`);
  }
  const stored = new DataView(bytes.buffer, bytes.byteOffset + end + 1, 4).getUint32(0, true);
  const computed = maskCrc(crc32c(bytes.subarray(offset, end + 1)));
  if (stored !== computed) {
    throw damaged(where, `checksum ${hex(stored)} of the block at ${offset}`, hex(computed));
  }
  const block = bytes.subarray(offset, end);
  const compression = bytes[end];
  if (compression === 0) return block;
  if (compression === 1) return decompressSnappy(block, where);
  throw damaged(where, "compression 0 (none) or 1 (snappy)", String(compression));
}

/** Entries `shared, unshared, valueLength, key suffix, value`; restart offsets and their count lie behind them. */
function readEntries(block: Uint8Array, where: string): TableEntry[] {
  if (block.length < 4) throw damaged(where, "a block of at least 4 bytes", String(block.length));
  const restarts = new DataView(block.buffer, block.byteOffset + block.length - 4, 4).getUint32(0, true);
  const end = block.length - 4 - 4 * restarts;
  if (end < 0) throw damaged(where, `${restarts} restart offsets`, `a block of ${block.length} bytes`);
  const reader = new WireReader(block.subarray(0, end), where);
  const entries: TableEntry[] = [];
  let previous: Uint8Array = new Uint8Array(0);
  while (reader.position < end) {
    const shared = reader.varint();
    const unshared = reader.varint();
    const valueLength = reader.varint();
    if (shared > previous.length) throw damaged(where, `a key that shares ${shared} bytes`, `${previous.length} bytes`);
    const suffix = reader.take(unshared);
    const key = new Uint8Array(shared + unshared);
    key.set(previous.subarray(0, shared));
    key.set(suffix, shared);
    entries.push({ key, value: reader.take(valueLength) });
    previous = key;
  }
  return entries;
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}
