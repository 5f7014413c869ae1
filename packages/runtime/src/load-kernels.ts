import type { Kernels } from "./kernels/kernel.ts";

/** Loads the kernels that many models do without, so that their workers need not read them. */
export async function loadKernels(): Promise<Kernels> {
  return (await import("./kernels/index.ts")).kernels;
}
