import { relaxedProbe, simdBinary } from "./simd-binary.ts";

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
export async function compileSimdKernels({ isShared }: { readonly isShared: boolean }): Promise<WebAssembly.Module> {
  return WebAssembly.compile(simdBinary({ isShared, isRelaxed: WebAssembly.validate(relaxedProbe()) }));
}

/** Our functions on a memory. */
export async function startSimdKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<SimdKernels> {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  return exports as SimdKernels; // they have these names
}
