import { deflateRawSync, gzipSync } from "node:zlib";
import { concat } from "./encode-proto.ts";
import { uint32 } from "./encode-table.ts";

type Files = Readonly<Record<string, Uint8Array>>;

/** A zip archive of the files, compressed or stored. */
export function encodeZip(files: Files, { isCompressed = true } = {}): Uint8Array {
  const method = isCompressed ? 8 : 0;
  let body = new Uint8Array(0);
  let directory = new Uint8Array(0);
  for (const [path, bytes] of Object.entries(files)) {
    const name = new TextEncoder().encode(path);
    const stored = isCompressed ? new Uint8Array(deflateRawSync(bytes)) : bytes;
    const sizes = concat(uint32(0), uint32(stored.length), uint32(bytes.length), uint16(name.length), uint16(0));
    const start = concat(uint16(20), uint16(0), uint16(method), uint32(0), sizes);
    const place = concat(uint16(0), uint16(0), uint16(0), uint32(0), uint32(body.length));
    directory = new Uint8Array(concat(directory, uint32(0x02014b50), uint16(20), start, place, name));
    body = new Uint8Array(concat(body, uint32(0x04034b50), start, name, stored));
  }
  const count = uint16(Object.keys(files).length);
  const end = concat(uint32(0x06054b50), uint16(0), uint16(0), count, count);
  return concat(body, directory, end, uint32(directory.length), uint32(body.length), uint16(0));
}

/** A gzipped tar archive of the files; names beyond 100 bytes in GNU's form. */
export function encodeTarGz(files: Files): Uint8Array {
  const parts = Object.entries(files).flatMap(([path, bytes]) => {
    const name = new TextEncoder().encode(`${path}\0`);
    const long = name.length > 100 ? [tarHeader("././@LongLink", "L", name.length), padded(name)] : [];
    return [...long, tarHeader(path.slice(0, 99), "0", bytes.length), padded(bytes)];
  });
  return new Uint8Array(gzipSync(concat(...parts, new Uint8Array(1024))));
}

function tarHeader(name: string, type: string, sizeBytes: number): Uint8Array {
  const header = new Uint8Array(512);
  const put = (at: number, text: string) => header.set(new TextEncoder().encode(text), at);
  put(0, name);
  put(124, sizeBytes.toString(8).padStart(11, "0"));
  put(148, "        ");
  put(156, type);
  put(257, "ustar");
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return header;
}

function padded(bytes: Uint8Array): Uint8Array {
  return concat(bytes, new Uint8Array((512 - (bytes.length % 512)) % 512));
}

function uint16(value: number): Uint8Array {
  return new Uint8Array(Uint16Array.of(value).buffer);
}
