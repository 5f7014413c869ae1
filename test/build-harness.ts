import { fileURLToPath } from "node:url";
import { build } from "vite";

/** Where the built page is that the browser tests drive. */
export const harnessFolder = fileURLToPath(new URL("./results/harness", import.meta.url));

/** Bundles the page once for all test files, the way that a user's own Vite project would. */
export default async function buildHarness(): Promise<void> {
  await build({
    root: fileURLToPath(new URL("./harness", import.meta.url)),
    base: "./",
    build: { outDir: harnessFolder, emptyOutDir: true, target: "es2022" },
    logLevel: "error",
  });
}
