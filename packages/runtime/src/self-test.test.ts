import {
  copyRegisteredKernels,
  findBackendFactory,
  getKernel,
  type KernelConfig,
  registerBackend,
  registerKernel,
  setBackend,
  type TensorInfo,
  unregisterKernel,
} from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { expect, test } from "vitest";
import { selfTest } from "./self-test.ts";

interface CpuBackend {
  readonly data: { get(dataId: object): { readonly values: Float32Array } };
}

test.each([0, 77, 16 * 16 - 1])("the self-test finds that a product is wrong at element %d alone", async (element) => {
  const name = `wrong at ${element}`;
  registerBackend(name, findBackendFactory("cpu"));
  copyRegisteredKernels("cpu", name);
  const { kernelName, kernelFunc } = getKernel("BatchMatMul", name) as KernelConfig; // it was copied
  unregisterKernel(kernelName, name);
  registerKernel({
    kernelName,
    backendName: name,
    kernelFunc(args) {
      const product = kernelFunc(args) as TensorInfo; // it has one output
      const { values } = (args.backend as CpuBackend).data.get(product.dataId);
      values[element] = (values[element] as number) + 1;
      return product;
    },
  });
  await setBackend(name);
  await expect(selfTest(16)).rejects.toThrow(`it multiplies wrongly: expected`);
  await setBackend("cpu");
  await selfTest(16);
});
