import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32c, maskCrc } from "../src/saved-model/crc32c.ts";
import { decode } from "../src/saved-model/messages.ts";
import { readSortedTable } from "../src/saved-model/sorted-table.ts";
import { encodeTable, uint32 } from "./encode-table.ts";

/**
 * Changes the values of a SavedModel's float32 variables of one shape, as training them further would: their bytes in
 * the only data shard and their checksums in the index.
 */
export async function retrain(savedModel: string, shape: readonly number[]): Promise<void> {
  const prefix = join(savedModel, "variables/variables");
  const shardPath = `${prefix}.data-00000-of-00001`;
  const shard = await readFile(shardPath);
  const table = readSortedTable(await readFile(`${prefix}.index`), "index");
  const entries = table.map(({ key, value }) => {
    const entry = key.length === 0 ? undefined : decode("BundleEntryProto", value, "index");
    const sizes = entry?.shape?.dim.map(({ size }) => size);
    if (entry === undefined || String(sizes) !== String(shape)) return [key, value] as const;
    const { offset, size, crc32c: old } = entry;
    const values = new Float32Array(shard.buffer.slice(shard.byteOffset + offset, shard.byteOffset + offset + size));
    const bytes = new Uint8Array(values.map((each) => each * 1.25 + 0.5).buffer);
    shard.set(bytes, offset);
    return [key, replaceBytes(value, uint32(old), uint32(maskCrc(crc32c(bytes))))] as const;
  });
  await writeFile(shardPath, shard);
  await writeFile(`${prefix}.index`, encodeTable([entries]));
}

function replaceBytes(bytes: Uint8Array, from: Uint8Array, to: Uint8Array): Uint8Array {
  const at = Buffer.from(bytes).indexOf(from);
  if (at < 0) throw new Error("the index has no such checksum");
  const replaced = bytes.slice();
  replaced.set(to, at);
  return replaced;
}
