// Bundles the command line into one file: Node takes longer to load a hundred small modules than to convert a small
// model. What is imported dynamically stays apart and is loaded when it is needed.
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "rolldown";

const bundle = fileURLToPath(new URL("bundle/", import.meta.url));

await rm(bundle, { recursive: true, force: true });
await build({
  input: fileURLToPath(new URL("dist/cli.js", import.meta.url)),
  output: { dir: bundle, minify: true },
  external: /^@nearside\/runtime/, // optional: found where the user installed it
  platform: "node",
  logLevel: "warn",
});
