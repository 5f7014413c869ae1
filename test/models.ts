import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { type GoldenCase, parseGolden } from "./golden.ts";

/** A SavedModel that the project made and carries, with what TensorFlow computed from it. */
export interface ExampleModel {
  readonly name: string;
  readonly savedModel: string;
  readonly golden: readonly GoldenCase[];
}

/** The example model of this name, from examples/models. */
export async function readExample(name: "linear-regression" | "digits"): Promise<ExampleModel> {
  const folder = fileURLToPath(new URL(`../examples/models/${name}`, import.meta.url));
  const golden = parseGolden(await readFile(join(folder, "golden.json"), "utf8"));
  return { name, savedModel: join(folder, "saved_model"), golden };
}

/** A folder of converted models, `<folder>/<name>/model.json`, gone when it is disposed. */
export interface ConvertedModels extends AsyncDisposable {
  readonly folder: string;
}

/** Converts SavedModels, each under its name, with the project's own converter. */
export async function convertModels(models: readonly { name: string; savedModel: string }[]): Promise<ConvertedModels> {
  const folder = await mkdtemp(join(tmpdir(), "nearside-models-"));
  for (const { name, savedModel } of models) {
    await convert(readDirectory(savedModel), writeDirectory(join(folder, name)));
  }
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
