import { crc32c, maskCrc } from "../src/saved-model/crc32c.ts";
import { concat, varint } from "./encode-proto.ts";

/** A sorted string table with one data block for each list of entries, stored as `compress` makes it. */
export function encodeTable(
  blocks: readonly (readonly (readonly [key: string | Uint8Array, value: Uint8Array])[])[],
  compress?: (block: Uint8Array) => Uint8Array,
): Uint8Array {
  let file = new Uint8Array(0);
  const store = (block: Uint8Array): Uint8Array => {
    const stored = concat(compress?.(block) ?? block, Uint8Array.of(compress === undefined ? 0 : 1));
    const handle = concat(varint(file.length), varint(stored.length - 1));
    file = Uint8Array.from([...file, ...stored, ...uint32(maskCrc(crc32c(stored)))]);
    return handle;
  };
  const handles = blocks.map((entries) => store(encodeBlock(entries)));
  const metaIndex = store(encodeBlock([]));
  const index = store(encodeBlock(handles.map((handle, at) => [`~${at}`, handle] as const)));
  const footer = new Uint8Array(48);
  footer.set(concat(metaIndex, index));
  footer.set([0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb], 40);
  return concat(file, footer);
}

/** Entries with shared prefixes, and one restart. */
function encodeBlock(entries: readonly (readonly [string | Uint8Array, Uint8Array])[]): Uint8Array {
  let previous = new Uint8Array(0);
  const parts: Uint8Array[] = [];
  for (const [name, value] of entries) {
    const key = typeof name === "string" ? new TextEncoder().encode(name) : new Uint8Array(name);
    let shared = 0;
    while (shared < key.length && key[shared] === previous[shared]) shared += 1;
    parts.push(concat(varint(shared), varint(key.length - shared), varint(value.length), key.subarray(shared), value));
    previous = key;
  }
  return concat(...parts, uint32(0), uint32(1));
}

/** Four bytes, least significant first. */
export function uint32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}
