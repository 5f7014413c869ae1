import type { Tensor } from "@nearside/core";
import type { Tensor as TfjsTensor } from "@tensorflow/tfjs-core";
import type { KernelAttrs } from "./kernel-attrs.ts";

/**
 * How an op is computed that is no single kernel of a backend: TensorFlow.js lacks it, gets it wrong, or makes it of
 * several.
 *
 * A **composed** kernel is made of TensorFlow.js's ops, so it runs wherever they do, and its tensors stay on the device.
 * `reads` lists the inputs whose values it must know (a shift, an axis); they are read first and passed as `values`, by
 * the input's place.
 *
 * A **plain** kernel computes on plain tensors: its inputs are read from the device and its outputs are put back. Their
 * dtypes are those that TensorFlow.js computes in: float32, int32 (for all integers), bool, string, complex64.
 *
 * Both throw `invalid-argument` for inputs that TensorFlow refuses, too.
 */
export type Kernel = ComposedKernel | PlainKernel;

export interface ComposedKernel {
  readonly reads?: readonly number[];
  compose(inputs: readonly TfjsTensor[], attrs: KernelAttrs, values: Values): TfjsTensor | readonly TfjsTensor[];
}

/** Of {@link ComposedKernel.reads}, the values. */
export type Values = Readonly<Record<number, readonly number[]>>;

export interface PlainKernel {
  compute(inputs: readonly Tensor[], attrs: KernelAttrs): Tensor | readonly Tensor[];
}

/** Kernels by the name of the op in the graph. */
export type Kernels = Readonly<Record<string, Kernel>>;
