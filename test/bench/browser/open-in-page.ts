import { parseManifest, type Session } from "@nearside/core";
import { type LoadedBackend, openLocalSession } from "@nearside/runtime";

/** Opens a model in the page's own thread, on a backend that is loaded there, without running it. */
export async function openInPage(url: string, backend: LoadedBackend): Promise<Session> {
  const manifest = parseManifest(await (await fetch(url)).text(), url);
  const readShard = async ({ path }: { readonly path: string }) =>
    (await fetch(new URL(path, new URL(url, location.href)))).arrayBuffer();
  return openLocalSession(url, { manifest, readShard }, backend, { warmUp: false });
}

/** Loads our WebAssembly backend in the page's own thread. */
export async function openWasmInPage(): Promise<LoadedBackend> {
  const [{ openWasmBackend }, { compileWasmBinary }] = await Promise.all([
    import("@nearside/runtime/backends/wasm"),
    import("@nearside/runtime/backends/wasm-binary"),
  ]);
  const binary = compileWasmBinary({
    scalar: "/tfjs/tfjs-backend-wasm.wasm",
    simd: "/tfjs/tfjs-backend-wasm-simd.wasm",
  });
  return openWasmBackend({ binary });
}
