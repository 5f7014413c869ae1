import type { TensorflowOptions } from "@nearside/runtime/backends/tensorflow";
import type { TensorflowAddon, TensorflowPackage } from "./tensorflow-package.ts";

/** Where what stands for `@tensorflow/tfjs` beside a package that `setup-tensorflow` made finds its exports. */
export const tfjsCoreKey = "nearside.tfjs-core";

type CreateBackend = TensorflowOptions["createBackend"];

/** How TensorFlow.js's kernels for native TensorFlow are registered, and their backend made. */
export function nativeKernels({ addon, require }: TensorflowPackage): CreateBackend {
  return (tfjsCore) => {
    (globalThis as Record<symbol, unknown>)[Symbol.for(tfjsCoreKey)] = tfjsCore;
    require("./dist/register_all_kernels.js");
    const { NodeJSKernelBackend } = require("./dist/nodejs_kernel_backend.js") as BackendModule; // its export
    return new NodeJSKernelBackend(addon, "@tensorflow/tfjs-node");
  };
}

interface BackendModule {
  readonly NodeJSKernelBackend: new (addon: TensorflowAddon, packageName: string) => ReturnType<CreateBackend>;
}
