/** What the wasm worker needs besides its script, as URLs: only the page knows what a bundler called them. */
export type WasmFiles = Record<"thread" | "scalar" | "simd", string>;

/** The script's URL with those of its files in the fragment, which no server ever sees. */
export function withWasmFiles(script: URL, files: WasmFiles): URL {
  return new URL(`#${new URLSearchParams(files)}`, script);
}

/** The files that the URL of the worker's script names. */
export function wasmFilesOf(script: string): WasmFiles {
  const {
    thread = "",
    scalar = "",
    simd = "",
  } = Object.fromEntries(new URLSearchParams(new URL(script).hash.slice(1)));
  return { thread, scalar, simd };
}
