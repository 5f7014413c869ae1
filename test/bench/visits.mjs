// npm run bench -- visits: Vite compiles the TypeScript, which the oldest Node that the project supports can't run.
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

/** Runs `browser/bench-visits.ts`. */
export async function bench(args) {
  const { module } = await runnerImport(fileURLToPath(new URL("./browser/bench-visits.ts", import.meta.url)), {
    configFile: false,
    oxc: { target: "es2022" }, // Node 20 has no `await using`
  });
  await module.benchVisits(args);
}
