import { dtypeFromTensorFlow, dtypes, type Tensor } from "@nearside/core";
import { elementwise } from "./broadcast.ts";
import type { Kernel, Kernels } from "./kernel.ts";
import type { KernelAttrs } from "./kernel-attrs.ts";
import { float32Tensor, int32Tensor, invalid, numbersOf } from "./plain-tensors.ts";

/** Ops on the bits of integers of at most 32, and of floats. `T` says how many bits there are. */
export const bitKernels: Kernels = {
  BitwiseOr: onBits((a, b = 0) => a | b),
  BitwiseXor: onBits((a, b = 0) => a ^ b),
  Invert: onBits((a) => ~a),
  /** Shifts are by at least 0 and less than the number of bits: other counts become the nearest of these. */
  LeftShift: onBits((a, b = 0, bits) => a << clampShift(b, bits)),
  /** Keeps the sign of signed integers. */
  RightShift: onBits((a, b = 0, bits) => a >> clampShift(b, bits)),
  /** How many bits are 1. */
  PopulationCount: {
    compute([x], attrs) {
      const bits = integerOf(attrs).bytes * 8;
      const counts = numbersOf(x).map((value) => {
        let [rest, count] = [bits === 32 ? value >>> 0 : value & (2 ** bits - 1), 0];
        for (; rest !== 0; rest >>>= 1) count += rest & 1;
        return count;
      });
      return int32Tensor(x?.shape ?? [], counts);
    },
  },
  /** The same bytes as another type of 32 bits. */
  Bitcast: {
    compute([x], attrs) {
      const [from, to] = [attrs.type("T", "DT_FLOAT"), attrs.type("type", "DT_FLOAT")];
      const known = ["DT_FLOAT", "DT_INT32", "DT_UINT32"];
      if (!known.includes(from) || !known.includes(to))
        throw invalid("Bitcast", `from ${from} to ${to} is not possible`);
      const { shape } = x as Tensor; // it has one input
      const bytes = (from === "DT_FLOAT" ? Float32Array : Int32Array).from(numbersOf(x)).buffer;
      return to === "DT_FLOAT"
        ? float32Tensor(shape, [...new Float32Array(bytes)])
        : int32Tensor(shape, [...new Int32Array(bytes)]);
    },
  },
};

function onBits(compute: (a: number, b: number | undefined, bits: number) => number): Kernel {
  return elementwise(([a = 0, b], attrs) => {
    const { bytes, array } = integerOf(attrs);
    return array.of(compute(a, b, bytes * 8))[0] ?? 0;
  });
}

/** The array that wraps numbers around as the op's integers do. */
function integerOf(attrs: KernelAttrs): { readonly bytes: number; readonly array: typeof Int32Array } {
  const dtype = dtypeFromTensorFlow(attrs.type("T", "DT_INT32"));
  const narrow = dtype === "int8" || dtype === "uint8" || dtype === "int16" || dtype === "uint16" ? dtype : "int32";
  // Stands for every array of integers.
  return { bytes: dtypes[narrow].bytes, array: dtypes[narrow].array as unknown as typeof Int32Array };
}

const clampShift = (count: number, bits: number) => Math.min(Math.max(count, 0), bits - 1);
