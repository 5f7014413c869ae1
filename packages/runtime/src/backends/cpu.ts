import "@tensorflow/tfjs-backend-cpu"; // it registers the backend, and its kernels
import {
  backend as currentBackend,
  getKernelsForBackend,
  type KernelConfig,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from "@tensorflow/tfjs-core";
import { checkIndices } from "./check-indices.ts";
import { checkOutputShape } from "./check-output-shape.ts";
import { type LoadedBackend, startBackend } from "./loaded-backend.ts";

/** What TensorFlow.js's types hide of its backend in JavaScript. */
interface CpuBackend {
  readSync(dataId: object): ArrayLike<number>;
  /** Keeps the elements of every tensor: those that are given, and each kernel's outputs. */
  write(values: unknown, shape: readonly number[], dtype: string): object;
}

/** TensorFlow.js's kernels that take indices, with checks before them. */
const checkedKernels: readonly KernelConfig[] = getKernelsForBackend("cpu").flatMap((config) => {
  const checked = checkIndices(config, (backend, { dataId }: TensorInfo) => (backend as CpuBackend).readSync(dataId));
  return checked === config ? [] : [checked];
});

/** Loads the backend that runs anywhere, in plain JavaScript: the last resort, and the reference in tests. */
export async function openCpuBackend(): Promise<LoadedBackend> {
  for (const config of checkedKernels) {
    unregisterKernel(config.kernelName, "cpu");
    registerKernel(config);
  }
  const loaded = await startBackend("cpu", { testSize: 16 });
  const backend = currentBackend() as unknown as CpuBackend; // what was just started
  const write = backend.write.bind(backend);
  backend.write = (values, shape, dtype) => {
    checkOutputShape(shape);
    return write(values, shape, dtype);
  };
  return loaded;
}
