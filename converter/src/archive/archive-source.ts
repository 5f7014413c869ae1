import type { FileSource } from "../files.ts";

/** Files to read that can be listed. */
export interface ArchiveSource extends FileSource {
  /** The paths of all files. */
  list(): Promise<readonly string[]>;
}
