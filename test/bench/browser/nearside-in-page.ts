import { parseManifest, type Session } from "@nearside/core";
import { type LoadedBackend, openLocalSession } from "@nearside/runtime";
import { offer } from "./contender.ts";

let backend: LoadedBackend;
let session: Session;

/** The SDK's runtime in the page's own thread, as the others run. */
offer({
  async load(name) {
    backend = await (name === "wasm" ? openWasm() : openWebgpu());
  },
  async open({ nearside }) {
    const manifest = parseManifest(await (await fetch(nearside)).text(), nearside);
    const readShard = async ({ path }: { readonly path: string }) =>
      (await fetch(new URL(path, new URL(nearside, location.href)))).arrayBuffer();
    session = await openLocalSession(nearside, { manifest, readShard }, backend, { warmUp: false });
  },
  async run(inputs) {
    const outputs = await session.run(inputs);
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { data }]) => [name, data as unknown as ArrayLike<number>]), // float32
    );
  },
});

async function openWasm(): Promise<LoadedBackend> {
  const { openWasmBackend } = await import("@nearside/runtime/backends/wasm");
  const wasmPaths = {
    "tfjs-backend-wasm.wasm": "/tfjs/tfjs-backend-wasm.wasm",
    "tfjs-backend-wasm-simd.wasm": "/tfjs/tfjs-backend-wasm-simd.wasm",
  };
  return openWasmBackend({ wasmPaths });
}

async function openWebgpu(): Promise<LoadedBackend> {
  const { openWebgpuBackend } = await import("@nearside/runtime/backends/webgpu");
  return openWebgpuBackend({ gpu: navigator.gpu });
}
