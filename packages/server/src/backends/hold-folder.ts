import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";

/** A folder whose contents can be found for as long as it is held, whatever its name becomes. */
export interface HeldFolder {
  /** Where it is now: under its name, unless that is another folder's by now, or nobody's. */
  currentPath(): Promise<string>;
  release(): Promise<void>;
}

/**
 * Holds a folder: who renames it, or puts another in its place, leaves it where it is for a process that starts later.
 * Linux can do this; elsewhere, and where the folder can't be opened, it is its name.
 */
export async function holdFolder(path: string): Promise<HeldFolder> {
  if (process.platform !== "linux") return { currentPath: async () => path, release: async () => {} };
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY).catch(() => undefined);
  return {
    currentPath: async () => (handle && !(await isAt(path, handle)) ? `/proc/${process.pid}/fd/${handle.fd}` : path),
    release: async () => handle?.close(),
  };
}

async function isAt(path: string, handle: FileHandle): Promise<boolean> {
  const [named, held] = await Promise.all([stat(path).catch(() => undefined), handle.stat()]);
  return named?.ino === held.ino && named.dev === held.dev;
}
