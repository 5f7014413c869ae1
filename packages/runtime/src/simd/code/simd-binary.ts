import { depthwiseFunctions } from "./depthwise.ts";
import { encodeModule } from "./encode-module.ts";
import { defineFunction, f32x4, type MultiplyAdd } from "./instructions.ts";
import { matrixFunctions } from "./matrices.ts";
import { patchFunctions } from "./patches.ts";

export interface SimdBinaryOptions {
  /** Whether the memory is shared between threads. */
  readonly isShared: boolean;
  /** With relaxed SIMD, which multiplies and adds in one instruction. */
  readonly isRelaxed: boolean;
}

/** The binary of our kernels. The SDK's bundle has those of all options instead of this module and what it imports. */
export function simdBinary({ isShared, isRelaxed }: SimdBinaryOptions): Uint8Array<ArrayBuffer> {
  const multiplyAdd = isRelaxed ? f32x4.relaxedMultiplyAdd : multiplyThenAdd;
  const functions = [...matrixFunctions(multiplyAdd), ...depthwiseFunctions(multiplyAdd), ...patchFunctions];
  return encodeModule(functions, { isShared });
}

/** The binary of a function that is valid where there is relaxed SIMD. */
export function relaxedProbe(): Uint8Array<ArrayBuffer> {
  const probe = defineFunction("probe", { address: "i32" }, ({ address }) => {
    const x = f32x4.load(address);
    return f32x4.store(address, f32x4.relaxedMultiplyAdd(x, x, x));
  });
  return encodeModule([probe]);
}

const multiplyThenAdd: MultiplyAdd = (a, b, c) => f32x4.add(f32x4.multiply(a, b), c);
