// The entry of a process that tries a backend: prints as JSON where it computes, or why it can't.
import { toInferenceError } from "@nearside/core";
import { isSoftwareGpu, openBackend, type ServerBackend } from "./open-backend.ts";
import { loadTensorflowPackage } from "./tensorflow/tensorflow-package.ts";

const name = process.argv[2] as ServerBackend; // as chooseBackends passes it

/** What a backend that was tried answers. */
export type Probe = { readonly device: "gpu" | "cpu" } | { readonly error: string };

const runsOnGpu: { readonly [B in ServerBackend]: () => boolean | Promise<boolean> } = {
  tensorflow: () => loadTensorflowPackage().addon.isUsingGpuDevice(),
  webgpu: async () => !(await isSoftwareGpu()),
  wasm: () => false,
  cpu: () => false,
};

async function probe(): Promise<Probe> {
  try {
    const backend = await openBackend(name); // it multiplies two matrices, and compares
    const isGpu = await runsOnGpu[name]();
    await backend.close();
    return { device: isGpu ? "gpu" : "cpu" };
  } catch (error) {
    return { error: toInferenceError(error).message };
  }
}

process.stdout.write(`\n${JSON.stringify(await probe())}`, () => process.exit(0)); // a GPU's handle would keep the process
