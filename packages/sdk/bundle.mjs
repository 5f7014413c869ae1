// Bundles each worker into one self-contained file, since a worker's imports are resolved by no import map, and copies
// the WebAssembly binaries beside them.
import { copyFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { build } from "rolldown";
import { collectNotices } from "./bundling/collect-notices.mjs";
import { hasSideEffects, leanTfjs } from "./bundling/lean-tfjs.mjs";

const folder = new URL("./", import.meta.url);
const require = createRequire(new URL("../runtime/package.json", folder));
const notices = collectNotices();

for (const name of ["webgpu", "webgl", "wasm", "wasm-thread", "cpu"]) {
  await build({
    input: new URL(`src/workers/${name}.ts`, folder).pathname,
    output: {
      file: new URL(`bundle/${name}.js`, folder).pathname,
      minify: true,
      codeSplitting: false,
      comments: false, // each of TensorFlow.js's 500 files begins with its licence
    },
    plugins: [notices.plugin, leanTfjs],
    treeshake: { moduleSideEffects: hasSideEffects, propertyReadSideEffects: false },
    platform: "browser",
    tsconfig: false,
    logLevel: "warn",
  });
}

for (const name of ["tfjs-backend-wasm.wasm", "tfjs-backend-wasm-simd.wasm"]) {
  await copyFile(require.resolve(`@tensorflow/tfjs-backend-wasm/dist/${name}`), new URL(`bundle/${name}`, folder));
}
await writeFile(new URL("bundle/NOTICES.txt", folder), notices.text());
