import type { FileSink, FileSource } from "../src/files.ts";

/** Files in memory, to read from. */
export function memorySource(files: Readonly<Record<string, Uint8Array>>): FileSource {
  return {
    sizeBytes: async (path) => files[path]?.length,
    read: async (path, start, end) => files[path]?.slice(start, end) ?? new Uint8Array(0),
  };
}

/** Files in memory, to write to; `files` has them. */
export function memorySink(): FileSink & { readonly files: Record<string, Uint8Array> } {
  const files: Record<string, Uint8Array> = {};
  return {
    files,
    write: async (path, bytes) => {
      files[path] = bytes.slice();
    },
    commit: async () => {},
    discard: async () => {
      for (const path of Object.keys(files)) delete files[path];
    },
  };
}
