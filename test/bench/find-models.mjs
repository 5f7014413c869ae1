import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the SavedModels that the project carries. */
export const exampleModels = fileURLToPath(new URL("../../examples/models", import.meta.url));

/** The SavedModels in a folder: `<name>/saved_model`, `<name>`, or one alone as `saved_model`. */
export async function findModels(folder, usage) {
  const names = (await readdir(folder)).sort();
  const places = names.flatMap((name) => [
    { name, savedModel: join(folder, name, "saved_model") },
    { name: name === "saved_model" ? basename(folder) : name, savedModel: join(folder, name) },
  ]);
  const models = places.filter(({ savedModel }) => existsSync(join(savedModel, "saved_model.pb")));
  if (models.length > 0) return models;
  throw new Error(`--models ${folder}: expected folders with a saved_model.pb; npm run bench -- ${usage}`);
}
