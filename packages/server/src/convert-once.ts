import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { FileSink } from "@nearside/converter";
import { InferenceError, toInferenceError } from "@nearside/core";
import { isThere } from "./is-there.ts";
import type { UnconvertedModel } from "./model-folder.ts";

/** Where conversions are kept unless told otherwise: `$XDG_CACHE_HOME/nearside` or `~/.cache/nearside`. */
export function defaultCacheDir(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "nearside");
}

/** Where conversions are kept, and which graph of a SavedModel is converted. */
export interface ConvertOnceOptions {
  readonly cacheDir: string;
  /** The tags of the graph, all of them (default `serve`). */
  readonly tags?: readonly string[];
}

/**
 * The folder of a graph model: `model` itself, or where that is a SavedModel, the conversion of `serving_default`. It
 * is converted now unless it was before: conversions are kept in `cacheDir` under the SHA-256 of all the SavedModel's
 * files and of the converter's version.
 */
export async function convertOnce(model: string, options: ConvertOnceOptions): Promise<string> {
  if (!(await isSavedModel(model))) return model;
  return (await conversionOf(model, options)).convert("serving_default");
}

/**
 * The folders of all signatures of a model by their names, converted as by {@link convertOnce}, and what is known of
 * those that can't be. A graph model has one signature, `serving_default`.
 */
export async function convertSignatures(
  model: string,
  options: ConvertOnceOptions,
): Promise<ReadonlyMap<string, string | UnconvertedModel>> {
  if (!(await isSavedModel(model))) return new Map([["serving_default", model]]);
  const conversion = await conversionOf(model, options);
  const converted = new Map<string, string | UnconvertedModel>();
  for (const signature of await conversion.signatures()) {
    const folder = await conversion.convert(signature).catch(async (error: unknown): Promise<UnconvertedModel> => {
      const refusal = toInferenceError(error);
      if (refusal.code !== "unsupported") throw error; // a fault of the model or of this machine
      const savedModel = { path: model, tags: options.tags ?? ["serve"], signature };
      return { savedModel, refusal, keepsState: await conversion.changesState(signature) };
    });
    converted.set(signature, folder);
  }
  return converted;
}

interface Conversion {
  signatures(): Promise<readonly string[]>;
  /** Converts a signature unless it was converted before, and tells where it is. */
  convert(signature: string): Promise<string>;
  /** Whether runs of the signature change variables. */
  changesState(signature: string): Promise<boolean>;
}

async function conversionOf(model: string, { cacheDir, tags = ["serve"] }: ConvertOnceOptions): Promise<Conversion> {
  // Imported here because a server of graph models needs no converter in memory.
  const { changesState, convert, listSignatures, version } = await import("@nearside/converter");
  const { readDirectory, writeDirectory } = await import("@nearside/converter/node");
  const source = readDirectory(model);
  const target = join(cacheDir, await hashFolder(model, `${version} ${[...tags].sort().join(",")}`));
  return {
    async signatures() {
      const wanted = [...tags].sort().join(",");
      return (await listSignatures(source)).find((graph) => graph.tags.join(",") === wanted)?.signatures ?? [];
    },
    async convert(signature) {
      const folder = join(target, encodeURIComponent(signature));
      if (await isThere(join(folder, "model.json"))) return folder;
      await mkdir(target, { recursive: true }).catch((cause: unknown) => {
        const message = `conversions: cannot write to ${cacheDir}; give a writable folder (cacheDir, --cache_dir)`;
        throw new InferenceError("unavailable", message, { cause });
      });
      const own = `${folder}.${randomUUID()}`;
      await convert(source, withCompressedManifest(writeDirectory(own)), { signature, tags });
      await rename(own, folder).catch(async (error: unknown) => {
        await rm(own, { recursive: true, force: true });
        if (!(await isThere(join(folder, "model.json")))) throw error; // else another server was faster, and may be reading
      });
      return folder;
    },
    changesState: (signature) => changesState(source, { signature, tags }),
  };
}

/** Adds what `model.json` is in fewer bytes, for browsers that load it from here. Weights hardly become fewer. */
function withCompressedManifest(sink: FileSink): FileSink {
  return {
    ...sink,
    async write(path, bytes) {
      await sink.write(path, bytes);
      if (path !== "model.json") return;
      const params = { [constants.BROTLI_PARAM_QUALITY]: 9 }; // the highest ones take many times as long for a few percent
      const [br, gz] = await Promise.all([promisify(brotliCompress)(bytes, { params }), promisify(gzip)(bytes)]);
      await sink.write(`${path}.br`, br);
      await sink.write(`${path}.gz`, gz);
    },
  };
}

/** Whether a folder holds a SavedModel, and no graph model. */
export async function isSavedModel(folder: string): Promise<boolean> {
  if (await isThere(join(folder, "model.json"))) return false;
  return (await isThere(join(folder, "saved_model.pb"))) || isThere(join(folder, "saved_model.pbtxt"));
}

async function hashFolder(folder: string, salt: string): Promise<string> {
  const hash = createHash("sha256").update(salt);
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
