import { getKernel, type KernelFunc, type TensorInfo } from "@tensorflow/tfjs-core";
import type { WasmBackend } from "./wasm-memory.ts";

type Arguments = Parameters<KernelFunc>[0];

/** The kernel of each activation that may be fused; for none it is no kernel. */
const activations: Readonly<Record<string, string | undefined>> = {
  linear: undefined,
  relu: "Relu",
  relu6: "Relu6",
  elu: "Elu",
  sigmoid: "Sigmoid",
  tanh: "Tanh",
  leakyrelu: "LeakyRelu",
  prelu: "Prelu",
};

/**
 * A fused kernel in three steps where its bias is no vector but a whole tensor, which TensorFlow.js's WebAssembly backend
 * refuses: the product, the sum, the activation. Undefined where the bias is a vector, or there is none, and for an
 * activation that isn't known here.
 */
export function withWholeBias(args: Arguments, fused: (args: Arguments) => ReturnType<KernelFunc>) {
  const { inputs, attrs, backend } = args;
  const { bias, preluActivationWeights, ...operands } = inputs;
  const activation = String(attrs?.activation ?? "linear");
  if (!bias || bias.shape.length < 2 || !Object.hasOwn(activations, activation)) return undefined;
  const apply = (kernel: string, inputs: Arguments["inputs"]): TensorInfo => {
    const { kernelFunc } = getKernel(kernel, "wasm");
    const result = kernelFunc({ inputs, backend, attrs: { alpha: Number(attrs?.leakyreluAlpha ?? 0) } }) as TensorInfo; // of one output
    (backend as WasmBackend).disposeData((inputs.a ?? inputs.x)?.dataId as object); // it has one of them
    return result;
  };
  const product = fused({ ...args, inputs: operands, attrs: { ...attrs, activation: "linear" } }) as TensorInfo; // as above
  const sum = apply("Add", { a: product, b: bias });
  const kernel = activations[activation];
  return kernel ? apply(kernel, { x: sum, ...(kernel === "Prelu" && { alpha: preluActivationWeights }) }) : sum;
}
