import { InferenceError } from "@nearside/core";
import { damaged } from "../damaged.ts";
import type { FileSource } from "../files.ts";
import type { ArchiveSource } from "./archive-source.ts";
import { checkGrowth } from "./check-growth.ts";
import { decompress } from "./decompress.ts";

/** A file in a zip archive. */
interface Entry {
  readonly name: string;
  readonly method: number;
  readonly storedBytes: number;
  readonly sizeBytes: number;
  /** Where its local header begins; the bytes follow that. */
  readonly headerAt: number;
}

/**
 * The files of the zip archive at `path`. Those that are stored are read by range; one that is compressed is unpacked
 * whole when it is first read, and stays in memory.
 * Throws `not-found` for a missing file, `data-loss` for damage, `unsupported` for encryption, Zip64 and other methods.
 */
export async function openZip(source: FileSource, path: string): Promise<ArchiveSource> {
  const archiveBytes = await source.sizeBytes(path);
  if (archiveBytes === undefined) throw new InferenceError("not-found", `${path}: no such file; give a zip archive`);
  const entries = await readDirectoryOf(source, path, archiveBytes);
  const unpacked = new Map<string, Promise<Uint8Array>>();

  async function bytesAt({ headerAt, name, storedBytes }: Entry) {
    const header = view(await source.read(path, headerAt, headerAt + 30));
    if (header.byteLength < 30 || header.getUint32(0, true) !== 0x04034b50) throw damaged(path, `"${name}"`, "none");
    const start = headerAt + 30 + header.getUint16(26, true) + header.getUint16(28, true);
    return { path, start, end: start + storedBytes };
  }

  async function unpack(entry: Entry): Promise<Uint8Array> {
    const bytes = new Uint8Array(entry.sizeBytes);
    let done = 0;
    for await (const chunk of decompress(source, await bytesAt(entry), "deflate-raw")) {
      if (done + chunk.length > bytes.length) throw damaged(path, `"${entry.name}" of ${bytes.length} bytes`, "more");
      bytes.set(chunk, done);
      done += chunk.length;
    }
    if (done !== bytes.length) throw damaged(path, `"${entry.name}" of ${bytes.length} bytes`, String(done));
    return bytes;
  }

  return {
    sizeBytes: async (name) => entries.get(name)?.sizeBytes,
    list: async () => [...entries.keys()],
    async read(name, start, end) {
      const entry = entries.get(name);
      if (entry === undefined) throw new InferenceError("not-found", `${path}: it holds no file "${name}"`);
      const stop = Math.min(end, entry.sizeBytes);
      if (entry.method === 0) {
        const range = await bytesAt(entry);
        return await source.read(path, range.start + start, range.start + stop);
      }
      const bytes = unpacked.get(name) ?? unpack(entry);
      unpacked.set(name, bytes);
      return (await bytes).slice(start, stop);
    },
  };
}

/** The archive's directory: it stands at the end, behind it a record that says where it begins. */
async function readDirectoryOf(
  source: FileSource,
  path: string,
  archiveBytes: number,
): Promise<ReadonlyMap<string, Entry>> {
  const tailAt = Math.max(0, archiveBytes - 22 - 65535); // a comment of up to 65535 bytes may follow the record
  const tail = view(await source.read(path, tailAt, archiveBytes));
  let at = tail.byteLength - 22;
  while (at >= 0 && tail.getUint32(at, true) !== 0x06054b50) at -= 1;
  if (at < 0) throw damaged(path, "a zip archive's last record", "none");
  const [count, size, start] = [
    tail.getUint16(at + 10, true),
    tail.getUint32(at + 12, true),
    tail.getUint32(at + 16, true),
  ];
  if (count === 0xffff || start === 0xffffffff) throw unsupported(path, "it is a Zip64 archive");
  if (start + size > archiveBytes)
    throw damaged(path, `a directory of ${size} bytes at ${start}`, `${archiveBytes} in all`);
  return parseDirectory(view(await source.read(path, start, start + size)), count, path, archiveBytes);
}

function parseDirectory(
  directory: DataView,
  count: number,
  path: string,
  archiveBytes: number,
): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + 46 > directory.byteLength || directory.getUint32(at, true) !== 0x02014b50) {
      throw damaged(path, `${count} entries`, String(index));
    }
    const nameBytes = directory.getUint16(at + 28, true);
    const rest = directory.getUint16(at + 30, true) + directory.getUint16(at + 32, true);
    const storedBytes = directory.getUint32(at + 20, true);
    const sizeBytes = directory.getUint32(at + 24, true);
    const method = directory.getUint16(at + 10, true);
    if (at + 46 + nameBytes > directory.byteLength) throw damaged(path, `${count} entries`, String(index));
    const name = new TextDecoder().decode(new Uint8Array(directory.buffer, directory.byteOffset + at + 46, nameBytes));
    const isEncrypted = (directory.getUint16(at + 8, true) & 1) === 1;
    if (isEncrypted) throw unsupported(path, `"${name}" is encrypted`);
    if (method !== 0 && method !== 8) throw unsupported(path, `"${name}" is compressed with method ${method}`);
    // Deflate makes at most 1032 bytes of one: a greater size is damage, or meant to fill the memory.
    const isPossible = method === 0 ? sizeBytes === storedBytes : sizeBytes <= 1032 * storedBytes;
    if (!isPossible) throw damaged(path, `"${name}" of ${sizeBytes} bytes`, `${storedBytes} stored ones`);
    checkGrowth(path, archiveBytes, method === 0 ? 0 : sizeBytes);
    const entry = { name, method, storedBytes, sizeBytes, headerAt: directory.getUint32(at + 42, true) };
    if (!name.endsWith("/")) entries.set(name, entry);
    at += 46 + nameBytes + rest;
  }
  return entries;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function unsupported(path: string, problem: string): InferenceError {
  return new InferenceError("unsupported", `${path}: ${problem}; unpack the archive and convert the folder`);
}
