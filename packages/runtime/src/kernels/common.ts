import { InferenceError } from "@nearside/core";
import {
  broadcastTo,
  cast,
  complex,
  concat,
  fill,
  pad,
  real,
  reshape,
  type Tensor as TfjsTensor,
  tensor,
  tensor1d,
  zerosLike,
} from "@tensorflow/tfjs-core";
import type { Kernel, Kernels } from "./kernel.ts";
import { numericType } from "./kernel-attrs.ts";
import { invalid, sizeOf } from "./plain-tensors.ts";
import { bytesOf, stringsOf } from "./string-bytes.ts";

/** A tensor with so many of a value before and after it along each axis: paddings [rank, 2]. */
const padding: Kernel = {
  reads: [1, 2],
  compose([x], _, { 1: pairs = [], 2: [filling = 0] = [] }) {
    const input = x as TfjsTensor; // it has two inputs or three
    if (pairs.length !== 2 * input.rank || pairs.some((size) => size < 0)) {
      throw invalid("Pad", `expected two sizes from 0 for each axis of [${input.shape}], got [${pairs}]`);
    }
    const [before, after] = [0, 1].map((side) => input.shape.map((_, axis) => pairs[2 * axis + side] ?? 0));
    // Once TensorFlow.js on wasm has padded with NaN, it does so ever after.
    if (input.rank <= 4 && !Number.isNaN(filling)) {
      return pad(
        input,
        input.shape.map((_, axis) => [before?.[axis] ?? 0, after?.[axis] ?? 0]),
        filling,
      );
    }
    return input.shape.reduce((current, _, axis) => {
      const block = (size = 0) =>
        cast(
          fill(
            current.shape.map((whole, each) => (each === axis ? size : whole)),
            filling,
          ),
          current.dtype,
        );
      return concat([block(before?.[axis]), current, block(after?.[axis])], axis);
    }, input);
  },
};

/** Kernels of ours that many models have: each worker has them from the start. */
export const commonKernels: Kernels = {
  /** To and from complex numbers, too, which TensorFlow.js on wasm has no kernel for. */
  Cast: {
    compose([x], attrs) {
      const input = x as TfjsTensor; // it has one
      const type = attrs.type("DstT", "DT_FLOAT");
      const dtype = castTypes[type];
      if (dtype === undefined) {
        throw new InferenceError("unsupported", `op Cast: no tensor here holds ${type}; convert the model again`);
      }
      const parts = input.dtype === "complex64" && dtype !== "complex64" ? reshape(real(input), input.shape) : input;
      if (dtype !== "complex64" || parts.dtype === "complex64") return cast(parts, dtype);
      const numbers = cast(parts, "float32");
      return complex(numbers, zerosLike(numbers));
    },
  },
  Fill: {
    reads: [0],
    compose: ([, value], { op }, { 0: shape = [] }) => filled(op, [...shape], value as TfjsTensor), // it has two inputs
  },
  /** TensorFlow.js on WebGPU pads four axes at most. */
  Pad: padding,
  PadV2: padding,
  /** start + i · step; TensorFlow.js adds up the steps, and makes one number too many where floats fit in evenly. */
  Range: {
    reads: [0, 1, 2],
    compose(_, attrs, { 0: [start = 0] = [], 1: [stop = 0] = [], 2: [step = 1] = [] }) {
      if (!(step > 0 ? start <= stop : step < 0 && start >= stop)) {
        throw invalid("Range", `expected a step that leads from ${start} to ${stop}, got ${step}`);
      }
      const dtype = numericType(attrs, "Tidx") as "float32" | "int32"; // there are no others
      const round = dtype === "float32" ? Math.fround : Number;
      const length = Math.ceil(round(round(stop - start) / step));
      return tensor1d(
        Array.from({ length }, (_, index) => start + round(index * step)),
        dtype,
      );
    },
  },
};

const castTypes: Readonly<Record<string, "float32" | "int32" | "bool" | "complex64">> = {
  DT_FLOAT: "float32",
  DT_DOUBLE: "float32",
  DT_HALF: "float32",
  DT_BFLOAT16: "float32",
  DT_INT32: "int32",
  DT_INT64: "int32",
  DT_BOOL: "bool",
  DT_COMPLEX64: "complex64",
};

/** One value, everywhere. */
function filled(op: string, shape: number[], value: TfjsTensor): TfjsTensor {
  if (value.rank > 0) throw invalid(op, `expected a scalar, got [${value.shape}]`);
  if (shape.some((size) => size < 0)) throw invalid(op, `expected sizes from 0, got [${shape}]`);
  if (shape.includes(0)) return tensor([], shape, value.dtype);
  if (value.dtype !== "string") return broadcastTo(value, shape);
  return stringsOf(new Array(sizeOf(shape)).fill(bytesOf(value)[0]), shape);
}
