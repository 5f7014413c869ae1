import { InferenceError } from "@nearside/core";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import "@tensorflow/tfjs-backend-webgpu"; // it registers the kernels that are replaced here
import { getKernel, type KernelConfig, type KernelFunc, registerKernel, unregisterKernel } from "@tensorflow/tfjs-core";
import { describeProduct, type KernelCall } from "./describe-product.ts";
import { isHalf } from "./half-tensor.ts";
import { type Product, type ProductOptions, runProduct } from "./run-product.ts";
import { tiles } from "./tile.ts";
import { classOf, isFaster, isFasterForSum } from "./tile-choice.ts";
import type { ProductBackend } from "./with-elements.ts";
import { addTo, type SumBackend } from "./with-sum.ts";

const kernels: readonly KernelConfig[] = Object.entries(describeProduct).flatMap(([kernelName, describe]) => {
  const stock = getKernel(kernelName, "webgpu");
  return stock ? [{ ...stock, kernelFunc: productKernel(stock.kernelFunc, describe) }] : [];
});

/** Puts our products in the place of TensorFlow.js's kernels for WebGPU. Doing it again changes nothing. */
export function registerProductKernels(): void {
  for (const config of kernels) {
    unregisterKernel(config.kernelName, config.backendName);
    registerKernel(config);
  }
}

type Describe = (call: KernelCall) => Product | undefined;

function productKernel(stock: KernelFunc, describe: Describe): KernelFunc {
  return (args) => {
    const backend = args.backend as WebGPUBackend & ProductBackend & SumBackend; // these kernels are registered for no other
    const { productElements, pendingSum: sum, tileChoices } = backend;
    if (tileChoices === undefined) return stock(args); // a backend of TensorFlow.js's own
    const hasElements = productElements !== undefined;
    const product = describe({ inputs: args.inputs, attrs: args.attrs ?? {} });
    if (product) {
      const choice = tileChoices[classOf(product)];
      const options: ProductOptions = {
        elements: productElements ?? "float32",
        isHalfB: isHalf(backend, product.b),
        ...(choice && { tile: tiles[choice.tile] }),
      };
      const summed = sum && addTo(product, sum);
      if (summed && (hasElements || isFasterForSum(product, choice))) {
        sum.isDone = true;
        return runProduct(backend, summed, options);
      }
      if (hasElements || isFaster(choice)) return runProduct(backend, product, options);
    }
    if (!hasElements) return stock(args);
    if (Object.values(args.inputs).some((input) => input != null && isHalf(backend, input))) {
      throw new InferenceError("internal", "a weight is float16 on the device that a kernel takes as float32");
    }
    return stock(args);
  };
}
