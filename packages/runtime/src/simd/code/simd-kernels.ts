import { depthwiseFunctions } from "./depthwise.ts";
import { encodeModule } from "./encode-module.ts";
import { defineFunction, f32x4, type MultiplyAdd } from "./instructions.ts";
import { matrixFunctions } from "./matrices.ts";
import { patchFunctions } from "./patches.ts";

/** The functions that are called from JavaScript. */
export const kernelNames = [
  "packBy4",
  "packBy8",
  "multiplyBy4",
  "multiplyBy8",
  "copyPatches",
  "addPatches",
  "convolvePixel",
  "convolve3By1",
  "convolve3By2",
  "convolve5By1",
  "convolve5By2",
  "convolve7By1",
  "convolve7By2",
] as const;
export type KernelName = (typeof kernelNames)[number];

/** Our functions on a memory: they take addresses, counts and floats in the order in which they are defined. */
export type SimdKernels = Readonly<Record<KernelName, (...operands: number[]) => void>>;

/** Compiles our functions: with relaxed SIMD, which multiplies and adds in one instruction, where there is that. */
export async function compileSimdKernels(options: { readonly isShared: boolean }): Promise<WebAssembly.Module> {
  const multiplyAdd = hasRelaxedSimd() ? f32x4.relaxedMultiplyAdd : multiplyThenAdd;
  const functions = [...matrixFunctions(multiplyAdd), ...depthwiseFunctions(multiplyAdd), ...patchFunctions];
  return WebAssembly.compile(encodeModule(functions, options));
}

/** Our functions on a memory. */
export async function startSimdKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<SimdKernels> {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  return exports as SimdKernels; // they have these names
}

const multiplyThenAdd: MultiplyAdd = (a, b, c) => f32x4.add(f32x4.multiply(a, b), c);

function hasRelaxedSimd(): boolean {
  const probe = defineFunction("probe", { address: "i32" }, ({ address }) => {
    const x = f32x4.load(address);
    return f32x4.store(address, f32x4.relaxedMultiplyAdd(x, x, x));
  });
  return WebAssembly.validate(encodeModule([probe]));
}
