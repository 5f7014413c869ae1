import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InferenceError, parseManifest, type Shard } from "@nearside/core";
import type { ModelFiles } from "@nearside/runtime";
import type { SavedModelSource } from "./backends/tensorflow/saved-model.ts";

/** A graph model in a folder: `model.json` and the shards that it lists. */
export interface ModelFolder extends ModelFiles {
  readonly path: string;
  /** Of the text of `model.json`, in hexadecimal. */
  readonly manifestSha256: string;
  /** The SavedModel that it was converted from, for a backend that runs it as it is. */
  readonly savedModel?: SavedModelSource;
}

/** A signature of a SavedModel that can't be converted: only TensorFlow runs it. */
export interface UnconvertedModel {
  readonly savedModel: SavedModelSource;
  /** Why it can't be converted. */
  readonly refusal: InferenceError;
  /** Whether its runs change variables. */
  readonly keepsState: boolean;
}

/**
 * Reads the manifest of a graph model. Shards are read later, one by one, and checked against the manifest's sizes and
 * SHA-256 where it has them. `savedModel` says what it was converted from. Rejects with `not-found` where there is no
 * model, `data-loss` where it is broken.
 */
export async function readModelFolder(folder: string, savedModel?: SavedModelSource): Promise<ModelFolder> {
  const path = join(folder, "model.json");
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    const message = `${folder}: expected saved_model.pb, saved_model.pbtxt or model.json, found none of them`;
    throw new InferenceError("not-found", message, { cause });
  });
  return {
    path: folder,
    manifestSha256: createHash("sha256").update(text).digest("hex"),
    ...(savedModel && { savedModel }),
    manifest: parseManifest(text, path),
    readShard: (shard, signal) => readShard(folder, shard, signal),
  };
}

async function readShard(folder: string, shard: Shard, signal?: AbortSignal): Promise<ArrayBuffer> {
  const path = join(folder, shard.path);
  const bytes = await readFile(path, { signal }).catch((cause: unknown) => {
    signal?.throwIfAborted();
    throw broken(path, "a file", "none", cause);
  });
  if (shard.bytes !== null && bytes.byteLength !== shard.bytes) {
    throw broken(path, `${shard.bytes} bytes`, `${bytes.byteLength}`);
  }
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (shard.sha256 !== null && sha256 !== shard.sha256) throw broken(path, `SHA-256 ${shard.sha256}`, sha256);
  return new Uint8Array(bytes).buffer; // a copy: a small Buffer is a view of a shared pool
}

function broken(path: string, expected: string, got: string, cause?: unknown): InferenceError {
  const message = `${path}: expected ${expected}, got ${got}; convert or copy the model again`;
  return new InferenceError("data-loss", message, { cause });
}
