// Bundles each worker into a file that imports no other, since a worker's imports are resolved by no import map, copies
// the WebAssembly binaries beside them, and makes one file of the library for pages without a bundler: `nearside.js`.
import { createHash } from "node:crypto";
import { appendFile, copyFile, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { build } from "rolldown";
import { collectNotices } from "./bundling/collect-notices.mjs";
import { kernelsApart } from "./bundling/kernels-apart.mjs";
import { hasLaterSideEffects, hasSideEffects, leanTfjs } from "./bundling/lean-tfjs.mjs";
import { readySimd } from "./bundling/ready-simd.mjs";

const folder = new URL("./", import.meta.url);
const require = createRequire(new URL("../runtime/package.json", folder));
const notices = collectNotices();

/** What makes a worker of our code: without what no worker runs. */
const forWorkers = [leanTfjs, readySimd, kernelsApart];

async function bundle(source, name, { plugins = forWorkers, moduleSideEffects = hasSideEffects } = {}) {
  const file = new URL(`bundle/${name}.js`, folder);
  await build({
    input: new URL(`src/${source}`, folder).pathname,
    output: {
      file: file.pathname,
      minify: true,
      codeSplitting: false,
      comments: false, // each of TensorFlow.js's 500 files begins with its licence
    },
    plugins: [notices.plugin, ...plugins],
    treeshake: { moduleSideEffects, propertyReadSideEffects: false },
    platform: "browser",
    tsconfig: false,
    logLevel: "warn",
  });
  await writeFile(file, toAscii(await readFile(file, "utf8")));
}

/** The same script in ASCII: a single other character in it doubles what browsers decode, keep and parse. */
function toAscii(script) {
  return script.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

await bundle("workers/kernels.ts", "kernels", { moduleSideEffects: hasLaterSideEffects });
const kernels = await readFile(new URL("bundle/kernels.js", folder), "utf8");
for (const name of ["webgpu", "webgl", "wasm", "wasm-thread", "cpu", "server", "images", "samples"]) {
  await bundle(`workers/${name}.ts`, name);
  const file = new URL(`bundle/${name}.js`, folder);
  const text = await readFile(file, "utf8");
  const hash = createHash("sha256").update(kernels).update(text).digest("hex").slice(0, 16);
  await writeFile(file, text.replaceAll("HASH-OF-THE-WORKER", hash)); // see workers/build.ts
}
await bundle("index.ts", "nearside", { plugins: [] });

// Vite makes a data: URL of a file below 4 KiB, which a content security policy may forbid.
for (const name of ["wasm-thread", "images", "samples"]) {
  await appendFile(new URL(`bundle/${name}.js`, folder), `//${" ".repeat(4096)}\n`);
}

for (const name of ["tfjs-backend-wasm.wasm", "tfjs-backend-wasm-simd.wasm"]) {
  await copyFile(require.resolve(`@tensorflow/tfjs-backend-wasm/dist/${name}`), new URL(`bundle/${name}`, folder));
}
await writeFile(new URL("bundle/NOTICES.txt", folder), notices.text());
