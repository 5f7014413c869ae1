import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { AnyModel, ModelTypes, Precision, Session } from "@nearside/core";
import { openLocalSession } from "@nearside/runtime";
import { openBackend, type ServerBackend } from "./backends/open-backend.ts";
import { openSavedModel } from "./backends/tensorflow/open-saved-model.ts";
import { loadTensorflowPackage } from "./backends/tensorflow/tensorflow-package.ts";
import { convertOnce, defaultCacheDir, isSavedModel } from "./convert-once.ts";
import { readModelFolder } from "./model-folder.ts";

/** How a model is opened in this process. */
export interface OpenOptions {
  /** Where to run: `wasm` by default. A process runs on one backend at a time. */
  readonly backend?: ServerBackend;
  /** Run before the session counts as open (default true). */
  readonly warmUp?: boolean;
  /** What matrix products and convolutions take on webgpu (default float32). */
  readonly precision?: Precision;
  /** Where a SavedModel's conversion is kept; `~/.cache/nearside` by default. */
  readonly cacheDir?: string;
  readonly signal?: AbortSignal;
}

/**
 * Opens a model in this process: a folder (a path or a `file:` URL) that holds a SavedModel, converted on first use
 * unless TensorFlow is to run it, or a graph model. Rejects with `not-found`, `data-loss` for broken files, `no-backend`.
 */
export async function openSession<M extends ModelTypes = AnyModel>(
  model: string | URL,
  { backend = "wasm", warmUp = true, precision = "float32", cacheDir = defaultCacheDir(), signal }: OpenOptions = {},
): Promise<Session<M>> {
  signal?.throwIfAborted();
  const path = toPath(model);
  if (backend === "tensorflow" && (await isSavedModel(path))) {
    const session = (await openAsItIs(String(model), path, warmUp)) as Session<M>; // what its caller knows it to be
    if (!signal?.aborted) return session;
    await session.close();
    throw signal.reason;
  }
  const folder = await readModelFolder(await convertOnce(path, { cacheDir }));
  signal?.throwIfAborted();
  const options = { warmUp, precision, ownsBackend: true, ...(signal && { signal }) };
  return openLocalSession<M>(String(model), folder, await openBackend(backend), options);
}

async function openAsItIs(model: string, path: string, warmUp: boolean): Promise<Session> {
  const { changesState } = await import("@nearside/converter");
  const { readDirectory } = await import("@nearside/converter/node");
  const keepsState = await changesState(readDirectory(path));
  return openSavedModel(model, { path }, { keepsState, warmUp }, loadTensorflowPackage().addon);
}

function toPath(model: string | URL): string {
  const isUrl = model instanceof URL || model.startsWith("file:");
  return isUrl ? fileURLToPath(model) : resolve(model);
}
