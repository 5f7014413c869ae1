import type { KernelName, SimdKernels } from "./code/simd-kernels.ts";

/**
 * Calls kernels that don't depend on each other, or only within a group: at once, or in several threads when `finish` is
 * called.
 */
export interface Calls {
  /** How many threads there are. */
  readonly threads: number;
  /** Calls a kernel after those of the same group. */
  call(kernel: KernelName, ...operands: readonly number[]): void;
  /** Ends a group; those that follow may run before it, or at the same time. */
  endGroup(): void;
  /** Returns once all calls are done. */
  finish(): void;
}

/** Calls each kernel at once, in this thread. */
export function callsHere(kernels: SimdKernels): Calls {
  return {
    threads: 1,
    call: (kernel, ...operands) => kernels[kernel](...operands),
    endGroup: () => {},
    finish: () => {},
  };
}
