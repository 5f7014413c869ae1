import { InferenceError, parseManifest, type Session } from "@nearside/core";
import type { FileSource } from "./files.ts";
import type { OpenModel } from "./verification/run-model.ts";

/**
 * A function that opens graph models to run them on WebAssembly or, from the first model on that WebAssembly can't run,
 * in plain JavaScript. It needs the package `@nearside/runtime`, and rejects with `unsupported` where that isn't
 * installed. Close each session before the next is opened.
 */
export async function modelOpener(): Promise<OpenModel> {
  const runtime = await importRuntime();
  const loaders = [runtime.openWasmBackend, runtime.openCpuBackend];

  async function open(source: FileSource): Promise<Session> {
    const [openBackend, ...others] = loaders;
    if (openBackend === undefined) throw new InferenceError("no-backend", "no backend is left to run the model on");
    const files = await filesOf(source);
    // A model that the last backend can't run on zeros may well run on what it is given.
    const options = { warmUp: others.length > 0, ownsBackend: true };
    try {
      return await runtime.openLocalSession("model.json", files, await openBackend(), options);
    } catch (error) {
      if (others.length === 0 || !(error instanceof InferenceError) || error.code !== "no-backend") throw error;
      loaders.shift();
      return await open(source);
    }
  }
  return open;
}

async function importRuntime() {
  try {
    const [{ openLocalSession }, { openWasmBackend }, { openCpuBackend }] = await Promise.all([
      import("@nearside/runtime"),
      import("@nearside/runtime/backends/wasm"),
      import("@nearside/runtime/backends/cpu"),
    ]);
    return { openLocalSession, openWasmBackend, openCpuBackend };
  } catch (cause) {
    const message = 'to run models, the package "@nearside/runtime" is needed and does not load';
    throw new InferenceError("unsupported", `${message}: npm install @nearside/runtime`, { cause });
  }
}

async function filesOf(source: FileSource) {
  const manifest = parseManifest(new TextDecoder().decode(await readAll(source, "model.json")));
  return { manifest, readShard: async ({ path }: { readonly path: string }) => (await readAll(source, path)).buffer };
}

async function readAll(source: FileSource, path: string): Promise<Uint8Array<ArrayBuffer>> {
  const sizeBytes = await source.sizeBytes(path);
  if (sizeBytes === undefined) throw new InferenceError("not-found", `${path}: no such file`);
  return new Uint8Array(await source.read(path, 0, sizeBytes));
}
