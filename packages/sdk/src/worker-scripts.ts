import { InferenceError } from "@nearside/core";
import { type WorkerFiles, withFiles } from "./worker-files.ts";

/** A backend that a browser can have. */
export type LocalBackend = "webgpu" | "webgl" | "wasm" | "cpu";

/**
 * The script of each backend's worker, of the one that calls a server, of the one that reads images for the page, and of
 * what listens in the browser's audio thread: one self-contained file each; and what workers load besides: the kernels
 * that many models do without, and what WebAssembly needs. Bundlers find the files by these very expressions and copy
 * them as they are, under names of their own; the browser downloads no backend but the one that runs.
 */
const files = {
  webgpu: () => new URL("../bundle/webgpu.js", import.meta.url),
  webgl: () => new URL("../bundle/webgl.js", import.meta.url),
  wasm: () => new URL("../bundle/wasm.js", import.meta.url),
  cpu: () => new URL("../bundle/cpu.js", import.meta.url),
  server: () => new URL("../bundle/server.js", import.meta.url),
  images: () => new URL("../bundle/images.js", import.meta.url),
  samples: () => new URL("../bundle/samples.js", import.meta.url),
  kernels: () => new URL("../bundle/kernels.js", import.meta.url),
  thread: () => new URL("../bundle/wasm-thread.js", import.meta.url),
  scalar: () => new URL("../bundle/tfjs-backend-wasm.wasm", import.meta.url),
  simd: () => new URL("../bundle/tfjs-backend-wasm-simd.wasm", import.meta.url),
} as const;

/** The files that a backend's worker may need besides its script. */
const needs: Readonly<Record<LocalBackend, readonly (keyof WorkerFiles)[]>> = {
  webgpu: ["kernels"],
  webgl: ["kernels"],
  wasm: ["kernels", "thread", "scalar", "simd"],
  cpu: ["kernels"],
};

/** Throws `invalid-argument` for a name that is no backend's. */
export function checkBackends(names: readonly string[]): void {
  const unknown = names.find((name) => !Object.hasOwn(needs, name));
  if (unknown === undefined) return;
  throw new InferenceError("invalid-argument", `backend: expected ${Object.keys(needs)}, got "${unknown}"`);
}

/** The URL of a file. */
export function fileUrl(name: keyof typeof files): URL {
  return new URL(files[name]().href, location.href); // Next makes URLs of them that have a path and no origin
}

/** The URL of the script of a worker, with those of its files. */
export function workerScript(name: LocalBackend | "server" | "images" | "samples"): URL {
  const needed = (needs as Partial<Record<typeof name, readonly (keyof WorkerFiles)[]>>)[name] ?? []; // others need none
  return withFiles(fileUrl(name), Object.fromEntries(needed.map((file) => [file, fileUrl(file).href])));
}
