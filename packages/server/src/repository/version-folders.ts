import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { InferenceError } from "@nearside/core";
import type { ModelConfig, VersionPolicy } from "./model-config.ts";

/** Versions and the folders that hold them. */
export type VersionFolders = ReadonlyMap<bigint, string>;

/** The names in a folder, as Node's `readdir` gives them. */
export type ListFolder = (path: string) => Promise<string[]>;

/**
 * The versions of a model that its policy wants served. A folder counts as a version when its name is a whole number
 * (`00000123` is 123) and a model's file is in it, which one that is being copied may not have yet. Rejects with
 * `not-found` where the base path can't be read.
 */
export async function findVersions(
  { name, basePath, versions = { latest: 1 } }: ModelConfig,
  list: ListFolder = (path) => readdir(path),
): Promise<VersionFolders> {
  const listed = await listVersions(basePath, list).catch((cause: unknown) => {
    const message = `model "${name}": expected a folder at ${basePath}, found none; check the base path`;
    throw new InferenceError("not-found", message, { cause });
  });
  const wanted = select([...listed.keys()].sort(descending), versions);
  return new Map(wanted.map((version) => [version, listed.get(version) as string])); // selected from its keys
}

/** All versions. A folder that goes while its parent is read was renamed: its new name is seen by looking again. */
async function listVersions(basePath: string, list: ListFolder): Promise<VersionFolders> {
  for (let looksLeft = 10; ; looksLeft--) {
    const entries = await list(basePath);
    if (entries.some((entry) => modelFiles.includes(entry))) return new Map([[1n, basePath]]);
    const found = new Map<bigint, string>();
    let isAnyGone = false;
    for (const entry of entries.filter(isVersion).sort()) {
      const path = join(basePath, entry);
      const files = await list(path).catch(({ code }: NodeJS.ErrnoException) => (code === "ENOENT" ? null : []));
      isAnyGone ||= files === null;
      // Of two folders for one number the first counts, as in TensorFlow Serving.
      if (files?.some((file) => modelFiles.includes(file)) && !found.has(BigInt(entry))) found.set(BigInt(entry), path);
    }
    if (!isAnyGone || looksLeft === 0) return found; // a link that leads nowhere is gone each time
  }
}

/** The error that says what is missing in a base path without versions. */
export function noVersionError({ name, basePath }: ModelConfig): InferenceError {
  const expected = `a folder per version (such as ${join(basename(basePath), "1")}), saved_model.pb or model.json`;
  return new InferenceError("not-found", `model "${name}": expected ${expected} in ${basePath}, found none of them`);
}

/** The highest version first. */
export function descending(left: bigint, right: bigint): number {
  return left < right ? 1 : -1;
}

function select(versions: readonly bigint[], policy: VersionPolicy): readonly bigint[] {
  if (policy === "all") return versions;
  if ("latest" in policy) return versions.slice(0, policy.latest);
  return versions.filter((version) => policy.specific.includes(version));
}

/** True for the whole numbers that an int64 holds. */
function isVersion(name: string): boolean {
  return /^\d{1,40}$/.test(name) && BigInt(name) < 2n ** 63n;
}

const modelFiles: readonly string[] = ["saved_model.pb", "saved_model.pbtxt", "model.json"];
