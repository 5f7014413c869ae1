import { createHash } from "node:crypto";
import { type ConvertOptions, convert, writeFiles } from "@nearside/converter";
import { readDirectory } from "@nearside/converter/node";

/** A converted model in memory. */
export interface ConvertedModel {
  /** Of the manifest, which has the shards' hashes: another model has another. */
  readonly hash: string;
  readonly manifest: Uint8Array;
  /** By path, which is named by the content. */
  readonly shards: ReadonlyMap<string, Uint8Array>;
  /** The source of its `model.d.ts`. */
  readonly types: string;
}

/** Converts the SavedModel in a folder. Rejects as `convert` does. */
export async function convertModel(folder: string, options: ConvertOptions): Promise<ConvertedModel> {
  const blobs = new Map<string, Blob>();
  await convert(readDirectory(folder), writeFiles(blobs), options);
  const files = new Map<string, Uint8Array>();
  for (const [path, blob] of blobs) files.set(path, new Uint8Array(await blob.arrayBuffer()));
  const { "model.json": manifest, "model.d.ts": types, ...shards } = Object.fromEntries(files);
  if (!manifest || !types) throw new Error(`${folder}: the converter wrote only ${[...files.keys()].join(", ")}`);
  return {
    hash: createHash("sha256").update(manifest).digest("hex").slice(0, 16),
    manifest,
    shards: new Map(Object.entries(shards)),
    types: new TextDecoder().decode(types),
  };
}
