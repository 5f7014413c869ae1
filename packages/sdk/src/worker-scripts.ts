import { withWasmFiles } from "./wasm-files.ts";

/** A backend that a browser can have. */
export type LocalBackend = Exclude<keyof typeof scripts, "server" | "images" | "samples">;

/**
 * The script of each backend's worker, of the one that calls a server, of the one that reads images for the page, and of
 * what listens in the browser's audio thread: one self-contained file each. Bundlers find the files by these very expressions and copy them as they are,
 * under names of their own; the browser downloads no backend but the one that runs.
 */
const scripts = {
  webgpu: () => new URL("../bundle/webgpu.js", import.meta.url),
  webgl: () => new URL("../bundle/webgl.js", import.meta.url),
  wasm: () => new URL("../bundle/wasm.js", import.meta.url),
  cpu: () => new URL("../bundle/cpu.js", import.meta.url),
  server: () => new URL("../bundle/server.js", import.meta.url),
  images: () => new URL("../bundle/images.js", import.meta.url),
  samples: () => new URL("../bundle/samples.js", import.meta.url),
} as const;

/** What the wasm worker needs besides. */
const wasmFiles = () => ({
  thread: absolute(new URL("../bundle/wasm-thread.js", import.meta.url)).href,
  scalar: absolute(new URL("../bundle/tfjs-backend-wasm.wasm", import.meta.url)).href,
  simd: absolute(new URL("../bundle/tfjs-backend-wasm-simd.wasm", import.meta.url)).href,
});

/** The URL of the script of a worker. */
export function workerScript(name: keyof typeof scripts): URL {
  const script = absolute(scripts[name]());
  return name === "wasm" ? withWasmFiles(script, wasmFiles()) : script;
}

/** Next makes URLs of them that have a path and no origin. */
function absolute({ href }: URL): URL {
  return new URL(href, location.href);
}
