import { InferenceError } from "@nearside/core";
import type { FileSource } from "../files.ts";
import { modelFolder } from "./model-folder.ts";
import { openTarGz } from "./open-tar.ts";
import { openZip } from "./open-zip.ts";

/** The archives that can be read, by the end of their names. */
const formats = { ".zip": openZip, ".tar.gz": openTarGz, ".tgz": openTarGz } as const;

/** True for the name of a file that {@link openArchive} can read. */
export function isArchive(path: string): boolean {
  return Object.keys(formats).some((end) => path.toLowerCase().endsWith(end));
}

/**
 * The model's folder in the archive at `path` of `source`: the one nearest to the top that holds a `saved_model.pb`,
 * `saved_model.pbtxt` or `model.json`. Throws `not-found` where there is none, `data-loss` and `unsupported` as the archive's reader does.
 */
export async function openArchive(source: FileSource, path: string): Promise<FileSource> {
  const open = Object.entries(formats).find(([end]) => path.toLowerCase().endsWith(end))?.[1];
  if (open === undefined) {
    const known = Object.keys(formats).join(", ");
    throw new InferenceError("invalid-argument", `${path}: expected an archive (${known}), got another name`);
  }
  const archive = await open(source, path);
  const folder = modelFolder(await archive.list());
  if (folder === undefined) {
    throw new InferenceError("not-found", `${path}: it holds no saved_model.pb; give an archive of a model's folder`);
  }
  return {
    sizeBytes: (name) => archive.sizeBytes(folder + name),
    read: (name, start, end) => archive.read(folder + name, start, end),
  };
}
