import { readFile } from "node:fs/promises";
import { InferenceError, toInferenceError } from "@nearside/core";
import { type ModelConfig, parseModelConfigs } from "./model-config.ts";

/** A file that lists models, as it was read. */
export interface ModelConfigFile {
  readonly text: string;
  readonly models: readonly ModelConfig[];
}

/** Reads TensorFlow Serving's `models.config`. Rejects with `not-found`, and with `invalid-argument` for its contents. */
export async function readModelConfigFile(path: string): Promise<ModelConfigFile> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    const message = `model_config_file: expected a file at ${path}, which can't be read`;
    throw new InferenceError("not-found", message, { cause });
  });
  return { text, models: parseModelConfigs(text, path) };
}

/** How a file is watched, and who is told. */
export interface WatchOptions {
  readonly pollMs: number;
  /** What was read before the watching began. */
  readonly known: ModelConfigFile;
  readonly onChange: (models: readonly ModelConfig[]) => Promise<void>;
  readonly onError: (error: InferenceError) => void;
}

/**
 * Reads the file again and again, and hands on what changed; a text that was told of is not tried again. Returns a
 * function that ends it.
 */
export function watchModelConfigFile(path: string, { pollMs, known, onChange, onError }: WatchOptions): () => void {
  let { text } = known;
  let lastError = "";
  let timer: NodeJS.Timeout | undefined;
  const wait = () => {
    timer = setTimeout(look, pollMs);
    timer.unref();
  };
  const look = async () => {
    const looking = timer;
    try {
      const read = await readModelConfigFile(path);
      if (read.text !== text) await onChange(read.models);
      text = read.text;
      lastError = "";
    } catch (cause) {
      const error = toInferenceError(cause);
      if (error.message !== lastError) onError(error);
      lastError = error.message;
    }
    if (timer === looking) wait();
  };
  wait();
  return () => {
    clearTimeout(timer);
    timer = undefined;
  };
}
