import { InferenceError } from "@nearside/core";
import { damaged } from "../damaged.ts";
import type { FileSource } from "../files.ts";
import type { ArchiveSource } from "./archive-source.ts";
import { checkGrowth } from "./check-growth.ts";
import { decompress } from "./decompress.ts";

/**
 * The files of the gzipped tar archive at `path`, as `tar -czf` and tf.hub make them. All of it is unpacked into memory.
 * Throws `not-found` for a missing file and `data-loss` for damage.
 */
export async function openTarGz(source: FileSource, path: string): Promise<ArchiveSource> {
  const archiveBytes = await source.sizeBytes(path);
  if (archiveBytes === undefined)
    throw new InferenceError("not-found", `${path}: no such file; give a .tar.gz archive`);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of decompress(source, { path, start: 0, end: archiveBytes }, "gzip")) {
    bytes += part.length;
    checkGrowth(path, archiveBytes, bytes);
    parts.push(part);
  }
  const files = readTar(join(parts), path);
  return {
    sizeBytes: async (name) => files.get(name)?.length,
    list: async () => [...files.keys()],
    async read(name, start, end) {
      const bytes = files.get(name);
      if (bytes === undefined) throw new InferenceError("not-found", `${path}: it holds no file "${name}"`);
      return bytes.slice(start, end);
    },
  };
}

/** A tar archive's files: each a header of 512 bytes and its content, filled up to a multiple of 512. */
function readTar(bytes: Uint8Array, where: string): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  let longName: string | undefined;
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const header = bytes.subarray(at, at + 512);
    const sizeBytes = Number.parseInt(textAt(header, 124, 12).trim() || "0", 8);
    const isWhole = Number.isSafeInteger(sizeBytes) && sizeBytes >= 0 && at + 512 + sizeBytes <= bytes.length;
    if (!isWhole || checksumOf(header) !== Number.parseInt(textAt(header, 148, 8).trim(), 8)) {
      throw damaged(where, `a tar header at ${at} with its checksum and content`, "none");
    }
    const content = bytes.subarray(at + 512, at + 512 + sizeBytes);
    const type = textAt(header, 156, 1);
    if (type === "L")
      longName = textAt(content, 0, content.length); // GNU's form of a name beyond 100 bytes
    else if (type === "x")
      longName = paxName(content) ?? longName; // POSIX's form
    else {
      if (type === "" || type === "0") files.set(plainName(longName ?? nameOf(header)), content);
      longName = undefined;
    }
    at += 512 + Math.ceil(sizeBytes / 512) * 512;
  }
  return files;
}

function nameOf(header: Uint8Array): string {
  const isPosix = textAt(header, 257, 6) === "ustar";
  const prefix = isPosix ? textAt(header, 345, 155) : "";
  return prefix === "" ? textAt(header, 0, 100) : `${prefix}/${textAt(header, 0, 100)}`;
}

/** `./model/saved_model.pb`, as `tar -czf x.tar.gz .` writes it, without the dot. */
function plainName(name: string): string {
  return name.replace(/^(\.\/)+/, "");
}

/** The `path` among lines of the form `<length> path=<name>\n`. */
function paxName(content: Uint8Array): string | undefined {
  return /^\d+ path=(.*)$/m.exec(new TextDecoder().decode(content))?.[1];
}

/** The sum of a header's bytes, with blanks for the sum itself. */
function checksumOf(header: Uint8Array): number {
  return header.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 32 : byte), 0);
}

/** The text in a field, up to the first zero byte. */
function textAt(bytes: Uint8Array, start: number, length: number): string {
  const field = bytes.subarray(start, start + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
