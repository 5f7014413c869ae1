import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, mkdir, readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import { InferenceError } from "@nearside/core";

/** Where conversions are kept unless told otherwise: `$XDG_CACHE_HOME/nearside` or `~/.cache/nearside`. */
export function defaultCacheDir(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "nearside");
}

/**
 * The folder of a graph model: `model` itself, or where that is a SavedModel, its conversion. It is converted now
 * unless it was before: conversions are kept in `cacheDir` under the SHA-256 of all the SavedModel's files and of the
 * converter's version.
 */
export async function convertOnce(model: string, { cacheDir }: { cacheDir: string }): Promise<string> {
  if (!(await isSavedModel(model))) return model;
  // Imported here because a server of graph models needs no converter in memory.
  const { convert, version } = await import("@nearside/converter");
  const { readDirectory, writeDirectory } = await import("@nearside/converter/node");
  const target = join(cacheDir, await hashFolder(model, version));
  if (await isThere(join(target, "model.json"))) return target;
  await mkdir(cacheDir, { recursive: true }).catch((cause: unknown) => {
    const message = `conversions: cannot write to ${cacheDir}; give a writable folder (cacheDir, --cache_dir)`;
    throw new InferenceError("unavailable", message, { cause });
  });
  await convert(readDirectory(model), writeDirectory(target));
  return target;
}

async function isSavedModel(folder: string): Promise<boolean> {
  if (await isThere(join(folder, "model.json"))) return false;
  return (await isThere(join(folder, "saved_model.pb"))) || isThere(join(folder, "saved_model.pbtxt"));
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function hashFolder(folder: string, version: string): Promise<string> {
  const hash = createHash("sha256").update(version);
  for (const path of (await listFiles(folder)).sort()) {
    const file = createHash("sha256");
    await pipeline(createReadStream(path), file);
    hash.update(`\0${relative(folder, path)}\0`).update(file.digest());
  }
  return hash.digest("hex");
}

/** All files below a folder. Links are followed: Kubernetes mounts volumes as folders of them. */
async function listFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  const files = names.map(async (name) => {
    const path = join(folder, name);
    return (await stat(path)).isDirectory() ? listFiles(path) : [path];
  });
  return (await Promise.all(files)).flat();
}
