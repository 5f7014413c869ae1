import { randomUUID } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { InferenceError } from "@nearside/core";
import type { FileSink, FileSource } from "./files.ts";

/**
 * The files below a folder. They are read at once, on this thread: a model has many small variables, and to wait for
 * another thread takes longer than to read one. Other work goes on whenever a shard is written.
 */
export function readDirectory(path: string): FileSource {
  return {
    async sizeBytes(file) {
      const stats = await orUndefined(stat(inside(path, file)));
      return stats?.isFile() ? stats.size : undefined;
    },
    async read(file, start, end) {
      const descriptor = openSync(inside(path, file), "r");
      try {
        const bytes = new Uint8Array(end - start);
        let done = 0;
        while (done < bytes.length) {
          const count = readSync(descriptor, bytes, done, bytes.length - done, start + done);
          if (count === 0) break;
          done += count;
        }
        return bytes.subarray(0, done);
      } finally {
        closeSync(descriptor);
      }
    },
  };
}

/**
 * A folder to be written. Files go to a temporary folder beside it, which takes its place on `commit`, so it is never
 * half-written, nor a mixture of two conversions. Only an empty folder or an earlier conversion is replaced; for
 * anything else `write` rejects with `already-exists`.
 */
export function writeDirectory(path: string): FileSink {
  const target = resolve(path);
  const temporary = join(dirname(target), `.${basename(target)}-${randomUUID()}`);
  let isOpen = false;
  return {
    async write(file, bytes) {
      if (!isOpen) {
        await checkReplaceable(target);
        await mkdir(temporary, { recursive: true });
        isOpen = true;
      }
      const place = inside(temporary, file);
      await mkdir(dirname(place), { recursive: true });
      await writeFile(place, bytes);
    },
    async commit() {
      await replace(target, temporary);
      isOpen = false;
    },
    async discard() {
      await rm(temporary, { recursive: true, force: true });
      isOpen = false;
    },
  };
}

/** The files that a conversion consists of; a folder with others in it isn't one, or not only. */
const ownFiles = /^(model\.json|model\.d\.ts|.*\.bin)$/;

async function checkReplaceable(target: string): Promise<void> {
  const stats = await orUndefined(stat(target));
  if (stats === undefined) return;
  if (!stats.isDirectory()) throw occupied(target, "it is a file");
  const problem = await problemOf(target);
  if (problem !== undefined) throw occupied(target, problem);
}

/** What makes a folder other than empty or a conversion, undefined where it is that. One may hold several, in folders. */
async function problemOf(folder: string): Promise<string | undefined> {
  const entries = await readdir(folder, { withFileTypes: true });
  if (entries.length > 0 && entries.every((entry) => entry.isDirectory())) {
    for (const { name } of entries) {
      const inside = join(folder, name);
      const isConversion = (await readdir(inside)).length > 0 && (await problemOf(inside)) === undefined;
      if (!isConversion) return `it holds "${name}", which no conversion wrote`;
    }
    return undefined;
  }
  const foreign = entries.find((entry) => !entry.isFile() || !ownFiles.test(entry.name));
  if (foreign !== undefined) return `it holds "${foreign.name}", which no conversion wrote`;
  const hasModel = entries.length === 0 || entries.some(({ name }) => name === "model.json");
  return hasModel ? undefined : "it holds files but no model.json";
}

function occupied(target: string, problem: string): InferenceError {
  const message = `output ${target}: expected no folder, an empty one or an earlier conversion, but ${problem}`;
  return new InferenceError("already-exists", `${message}; choose another folder or empty this one`);
}

/** Moves the new folder to the target's place; the old one is moved back where that fails. */
async function replace(target: string, temporary: string): Promise<void> {
  await checkReplaceable(target);
  const old = `${temporary}-old`;
  const hadOld = (await orUndefined(stat(target))) !== undefined;
  if (hadOld) await rename(target, old);
  try {
    await rename(temporary, target);
  } catch (error) {
    if (hadOld) await rename(old, target);
    throw error;
  }
  if (hadOld) await rm(old, { recursive: true, force: true });
}

/** The place of a file below a folder; paths that lead out of it are refused. */
function inside(folder: string, file: string): string {
  if (!/^[\\/]/.test(file) && !file.split(/[\\/]/).includes("..")) return join(folder, file);
  throw new InferenceError("invalid-argument", `path "${file}": expected one below the folder, got one outside`);
}

async function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof Error && "code" in error && missingCodes.has(error.code)) return undefined;
    throw error;
  }
}

const missingCodes: ReadonlySet<unknown> = new Set(["ENOENT", "ENOTDIR"]);
