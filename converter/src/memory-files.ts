import type { FileSink, FileSource } from "./files.ts";

/** Files in memory, by path. */
export type MemoryFiles = ReadonlyMap<string, Uint8Array>;

/** Reads files that are in memory. */
export function readMemory(files: MemoryFiles): FileSource {
  return {
    sizeBytes: async (path) => files.get(path)?.length,
    read: async (path, start, end) => files.get(path)?.slice(start, end) ?? new Uint8Array(0),
  };
}

/** Keeps what is written in memory, and writes it to a sink as well where one is given. */
export function writeMemory(files: Map<string, Uint8Array>, sink?: FileSink): FileSink {
  return {
    async write(path, bytes) {
      files.set(path, bytes);
      await sink?.write(path, bytes);
    },
    commit: async () => sink?.commit(),
    discard: async () => sink?.discard(),
  };
}
