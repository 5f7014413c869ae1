import type { KernelConfig, KernelFunc, TensorInfo } from "@tensorflow/tfjs-core";
import { missingKernel } from "./missing-kernel.ts";
import { numbersOf, type WasmBackend } from "./wasm-memory.ts";

/**
 * Complex tensors on TensorFlow.js's WebAssembly backend, which has none: real and imaginary parts in turn in its
 * memory. They are made, taken apart, copied and reshaped; arithmetic is done on their parts.
 */
export const complexWasmKernels: readonly KernelConfig[] = [
  {
    kernelName: "Complex",
    backendName: "wasm",
    kernelFunc({ inputs, backend }) {
      const [real, imag] = [inputs.real as TensorInfo, inputs.imag as TensorInfo]; // its inputs
      const wasm = backend as WasmBackend;
      const out = wasm.makeOutput(real.shape, "complex64");
      const [pairs, re, im] = [out, real, imag].map((tensor) => numbersOf(wasm, tensor)) as [Numbers, Numbers, Numbers];
      for (let index = 0; index < re.length; index++) {
        pairs[2 * index] = re[index] as number; // within
        pairs[2 * index + 1] = im[index] as number;
      }
      return out;
    },
  },
  { kernelName: "Real", backendName: "wasm", kernelFunc: partOf(0) },
  { kernelName: "Imag", backendName: "wasm", kernelFunc: partOf(1) },
];

type Numbers = ReturnType<typeof numbersOf>;

function partOf(offset: 0 | 1): KernelFunc {
  return ({ inputs, backend }) => {
    const wasm = backend as WasmBackend;
    const pairs = inputs.input as TensorInfo; // its input
    const out = wasm.makeOutput(pairs.shape, "float32");
    const [part, all] = [numbersOf(wasm, out), numbersOf(wasm, pairs)];
    for (let index = 0; index < part.length; index++) part[index] = all[2 * index + offset] as number; // within
    return out;
  };
}

/** Kernels that take strings. Most of the others end the whole module. */
const stringCapable = new Set(["Concat", "ExpandDims", "GatherV2", "Identity", "Pack", "Reshape", "Slice", "SplitV"])
  .add("StridedSlice")
  .add("StringNGrams")
  .add("StringToHashBucketFast")
  .add("Unpack");

/** Slices without strides are copied elsewhere. */
function takesStrings(kernelName: string, { attrs }: Parameters<KernelFunc>[0]): boolean {
  if (kernelName !== "StridedSlice") return stringCapable.has(kernelName);
  const { strides } = attrs as { readonly strides: readonly number[] }; // its attribute
  return strides.every((stride) => stride === 1);
}

// They change nothing but the shape.
const complexCapable = new Set(["Reshape", "ExpandDims"]);

/**
 * A kernel of the backend, made to refuse complex tensors, which it would take for half as many real numbers, but for
 * `Identity`, which copies them; and strings, but for those that take them.
 */
export function checkDtypes(config: KernelConfig): KernelConfig {
  if (complexCapable.has(config.kernelName)) return config;
  const kernelFunc: KernelFunc = (args) => {
    const inputs = Object.values(args.inputs);
    if (inputs.some((input) => input?.dtype === "string") && !takesStrings(config.kernelName, args)) {
      throw missingKernel(config.kernelName, "strings");
    }
    const complex = inputs.find((input) => input?.dtype === "complex64");
    if (complex === undefined) return config.kernelFunc(args);
    if (config.kernelName !== "Identity") {
      throw missingKernel(config.kernelName, "complex numbers");
    }
    const backend = args.backend as WasmBackend;
    const out = backend.makeOutput(complex.shape, "complex64");
    numbersOf(backend, out).set(numbersOf(backend, complex));
    return out;
  };
  return { ...config, kernelFunc };
}
