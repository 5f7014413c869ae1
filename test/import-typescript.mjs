import { fileURLToPath } from "node:url";

/** Imports a TypeScript module, by its URL: Vite compiles it, since the oldest Node that the project supports can't run it. */
export async function importTypeScript(url) {
  const { runnerImport } = await import("vite"); // it is large
  // Node 20 has no `await using`.
  const { module } = await runnerImport(fileURLToPath(url), { configFile: false, oxc: { target: "es2022" } });
  return module;
}
