import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Builds pages of this folder, as a site is built. */
export async function buildPages(names: readonly string[], outDir: string): Promise<void> {
  await build({
    root: here,
    base: "./",
    configFile: false,
    build: { outDir, target: "es2022", rolldownOptions: { input: names.map((name) => join(here, `${name}.html`)) } },
    logLevel: "error",
  });
}

/** Where each library's WebAssembly is served from. */
export function libraryFolders(): Readonly<Record<string, string>> {
  const require = createRequire(import.meta.url);
  return {
    "/tfjs/": dirname(require.resolve("@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm")),
    "/litert/": join(dirname(require.resolve("@litertjs/core")), "../wasm"),
    "/onnxruntime/": dirname(require.resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm")),
  };
}
