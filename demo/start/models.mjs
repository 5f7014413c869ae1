import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const examples = new URL("../../examples/models/", import.meta.url);
const converted = new URL("../public/models/", import.meta.url);

/** The models of the demo: their names in URLs, their SavedModels, and the folders of their graph models. */
export const models = [
  { name: "digits", folder: "digits" },
  { name: "linear_regression", folder: "linear-regression" },
].map(({ name, folder }) => ({
  name,
  savedModel: fileURLToPath(new URL(`${folder}/saved_model`, examples)),
  graphModel: fileURLToPath(new URL(name, converted)),
}));

/** Converts every SavedModel into a graph model below public/, where the page's build finds it. */
export async function convertModels() {
  const { convert } = await import("@nearside/converter");
  const { readDirectory, writeDirectory } = await import("@nearside/converter/node");
  for (const { savedModel, graphModel } of models) {
    await rm(graphModel, { recursive: true, force: true });
    await convert(readDirectory(savedModel), writeDirectory(graphModel));
  }
}
