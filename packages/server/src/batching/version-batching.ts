import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { BatchingOptions } from "./batching-options.ts";
import { parseBatchingParameters } from "./parse-batching-parameters.ts";

/** TensorFlow Serving's name for the batching parameters of one version of a model, in its folder. */
const fileName = "batching_params.pbtxt";

/** The batching parameters that lie in a version's folder; undefined where none do. Rejects with `invalid-argument`. */
export async function readVersionBatching(folder: string): Promise<BatchingOptions | undefined> {
  const path = join(folder, fileName);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
  return text === undefined ? undefined : parseBatchingParameters(text, path);
}
