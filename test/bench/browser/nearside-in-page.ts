import type { Session } from "@nearside/core";
import type { LoadedBackend } from "@nearside/runtime";
import { offer } from "./contender.ts";
import { openInPage, openWasmInPage } from "./open-in-page.ts";

let backend: LoadedBackend;
let session: Session;

/** The SDK's runtime in the page's own thread, as the others run. */
offer({
  async load(name) {
    backend = await (name === "wasm" ? openWasmInPage() : openWebgpu());
  },
  async open({ nearside }) {
    session = await openInPage(nearside, backend);
  },
  async run(inputs) {
    const outputs = await session.run(inputs);
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { data }]) => [name, data as unknown as ArrayLike<number>]), // float32
    );
  },
});

async function openWebgpu(): Promise<LoadedBackend> {
  const { openWebgpuBackend } = await import("@nearside/runtime/backends/webgpu");
  return openWebgpuBackend({ gpu: navigator.gpu });
}
