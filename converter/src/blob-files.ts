import { InferenceError } from "@nearside/core";
import { modelFolder } from "./archive/model-folder.ts";
import { isArchive, openArchive } from "./archive/open-archive.ts";
import type { FileSink, FileSource } from "./files.ts";

/**
 * The model's folder among a browser's files: those of `<input webkitdirectory>`, or blobs by path, such as the files
 * below a dropped folder. They may lie in a folder around the model; one file alone may be an archive of it. Only the
 * ranges that a conversion asks for are read. Throws `not-found` where no model is among them.
 */
export async function readFiles(files: Iterable<File | readonly [path: string, blob: Blob]>): Promise<FileSource> {
  const blobs = new Map(Array.from(files, (file) => ("size" in file ? [pathOf(file), file] : file)));
  const source: FileSource = {
    async sizeBytes(path) {
      return blobs.get(path)?.size;
    },
    async read(path, start, end) {
      const blob = blobs.get(path);
      if (blob === undefined) throw new InferenceError("not-found", `${path}: no such file among those given`);
      return new Uint8Array(await blob.slice(start, end).arrayBuffer());
    },
  };
  const [first] = blobs.keys();
  if (first !== undefined && blobs.size === 1 && isArchive(first)) return openArchive(source, first);
  const folder = modelFolder(blobs.keys());
  if (folder !== undefined) {
    return {
      sizeBytes: (path) => source.sizeBytes(folder + path),
      read: (path, start, end) => source.read(folder + path, start, end),
    };
  }
  const message = `${blobs.size} files: none is a saved_model.pb; give the SavedModel's folder, or an archive of it`;
  throw new InferenceError("not-found", message);
}

/** Adds what is written to `files`, as blobs by path, when it is complete: for `openSession`, or to be downloaded. */
export function writeFiles(files: Map<string, Blob>): FileSink {
  let written = new Map<string, Blob>();
  return {
    async write(path, bytes) {
      written.set(path, new Blob([Uint8Array.from(bytes)]));
    },
    async commit() {
      for (const [path, blob] of written) files.set(path, blob);
      written = new Map();
    },
    async discard() {
      written = new Map();
    },
  };
}

function pathOf({ webkitRelativePath, name }: File): string {
  return webkitRelativePath || name; // empty where no folder was picked; Node's File has none
}
