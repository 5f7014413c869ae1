import { InferenceError } from "@nearside/core";
import type { FileSource } from "../files.ts";
import { openTarGz } from "./open-tar.ts";
import { openZip } from "./open-zip.ts";

/** The archives that can be read, by the end of their names. */
const formats = { ".zip": openZip, ".tar.gz": openTarGz, ".tgz": openTarGz } as const;

/** True for the name of a file that {@link openArchive} can read. */
export function isArchive(path: string): boolean {
  return Object.keys(formats).some((end) => path.toLowerCase().endsWith(end));
}

/**
 * The model's folder in the archive at `path` of `source`: the one nearest to the top that holds a `saved_model.pb` or
 * a `model.json`. Throws `not-found` where there is none, `data-loss` and `unsupported` as the archive's reader does.
 */
export async function openArchive(source: FileSource, path: string): Promise<FileSource> {
  const open = Object.entries(formats).find(([end]) => path.toLowerCase().endsWith(end))?.[1];
  if (open === undefined) {
    const known = Object.keys(formats).join(", ");
    throw new InferenceError("invalid-argument", `${path}: expected an archive (${known}), got another name`);
  }
  const archive = await open(source, path);
  const models = (await archive.list()).filter((name) => /(^|\/)(saved_model\.pb|model\.json)$/.test(name));
  const [model] = models.sort((a, b) => a.split("/").length - b.split("/").length);
  if (model === undefined) {
    throw new InferenceError("not-found", `${path}: it holds no saved_model.pb; give an archive of a model's folder`);
  }
  const folder = model.slice(0, model.lastIndexOf("/") + 1);
  return {
    sizeBytes: (name) => archive.sizeBytes(folder + name),
    read: (name, start, end) => archive.read(folder + name, start, end),
  };
}
