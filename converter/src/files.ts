/** Files to read: a directory, a zip archive, a browser's file picker. Paths are relative, with forward slashes. */
export interface FileSource {
  /** The file's size, or undefined where there is no such file. */
  sizeBytes(path: string): Promise<number | undefined>;
  /** The bytes from `start` up to, not including, `end`; fewer where the file ends before that. */
  read(path: string, start: number, end: number): Promise<Uint8Array>;
}

/** Where files are written: all of them appear on `commit`, none on `discard`. */
export interface FileSink {
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Makes what was written visible, in place of an earlier conversion if there is one. */
  commit(): Promise<void>;
  /** Forgets what was written. Discarding twice is the same as once. */
  discard(): Promise<void>;
}
