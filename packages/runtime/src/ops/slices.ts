import {
  cast,
  gather,
  reshape,
  slice_util,
  stack,
  type TensorInfo,
  type Tensor as TfjsTensor,
  util,
} from "@tensorflow/tfjs-core";
import type { Values } from "../kernels/kernel.ts";
import { valuesAt } from "../kernels/kernel-attrs.ts";
import { axisOf, invalid, sizeOf } from "../kernels/plain-tensors.ts";
import { compose } from "../plan/composed.ts";
import { bindKernel, makeTensor } from "../plan/device.ts";
import type { DirectOp, Ops, RunDirect } from "../plan/op.ts";
import { inputAt, kernelOp, sameShape } from "./direct.ts";

/** Ops that cut tensors, join them, and pick elements. */
export const sliceOps: Ops = {
  Concat: concatOp(0, (inputs) => inputs.slice(1)),
  ConcatV2: concatOp(-1, (inputs) => inputs.slice(0, -1)),
  Slice: kernelOp(
    "Slice",
    (run) => (inputs, values) => {
      const x = inputAt(inputs, 0);
      const begin = [...valuesAt(values, 1)];
      const size = valuesAt(values, 2).map((length, axis) =>
        length === -1 ? (x.shape[axis] ?? 0) - (begin[axis] ?? 0) : length,
      );
      checkSlice(x.shape, begin, size);
      return run({ x }, { begin, size });
    },
    [1, 2],
  ),
  /** Of nothing, TensorFlow.js takes what follows the begin. */
  StridedSlice: kernelOp(
    "StridedSlice",
    (run, attrs, device) => {
      const masks = {
        beginMask: attrs.int("begin_mask", 0),
        endMask: attrs.int("end_mask", 0),
        ellipsisMask: attrs.int("ellipsis_mask", 0),
        newAxisMask: attrs.int("new_axis_mask", 0),
        shrinkAxisMask: attrs.int("shrink_axis_mask", 0),
      };
      return (inputs, values) => {
        const [begin = [], end = [], strides = []] = [1, 2, 3].map((index) => [...valuesAt(values, index)]);
        if (begin.length !== end.length || begin.length !== strides.length) {
          const got = `${begin.length}, ${end.length} and ${strides.length}`;
          throw invalid("StridedSlice", `expected as many begins, ends and strides, got ${got}`);
        }
        if (strides.includes(0)) throw invalid("StridedSlice", `expected strides other than 0, got [${strides}]`);
        const x = inputAt(inputs, 0);
        const { beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = masks;
        const { finalShape } = slice_util.sliceInfo(
          x.shape,
          begin,
          end,
          strides,
          beginMask,
          endMask,
          ellipsisMask,
          newAxisMask,
          shrinkAxisMask,
        );
        if (finalShape.includes(0))
          return makeTensor(device, util.getArrayFromDType(x.dtype, 0) as Float32Array, finalShape, x.dtype); // or whichever
        return run({ x }, { begin, end, strides, ...masks });
      };
    },
    [1, 2, 3],
  ),
  Split: splitOp({ input: 1, axisAt: 0 }),
  SplitV: splitOp({ input: 0, axisAt: 2 }),
  Pack: {
    bind(attrs, device) {
      const run = bindKernel(device, "Pack");
      const axis = attrs.int("axis", 0);
      return (inputs) => {
        const { shape } = inputAt(inputs, 0);
        axisOf("Pack", axis, shape.length + 1);
        if (inputs.every((input) => sameShape(input.shape, shape))) return run(inputs, { axis });
        const other = inputs.find((input) => sizeOf(input.shape) !== sizeOf(shape));
        if (other) throw invalid("Pack", `expected tensors of one shape, got [${shape}] and [${other.shape}]`);
        // The Python converter may leave tensors whose dimensions of 1 differ.
        return compose(device, inputs, (tensors) =>
          stack(
            tensors.map((each) => reshape(each, shape)),
            axis,
          ),
        );
      };
    },
  },
  Unpack: kernelOp("Unpack", (run, attrs) => {
    const [givenAxis, count] = [attrs.int("axis", 0), attrs.int("num", 0)];
    return (inputs) => {
      const value = inputAt(inputs, 0);
      const axis = axisOf("Unpack", givenAxis, value.shape.length);
      if (value.shape[axis] !== count)
        throw invalid("Unpack", `expected ${count} along axis ${axis}, got [${value.shape}]`);
      return run({ value }, { axis });
    };
  }),
  ReverseV2: reverseOp((values) => values),
  Reverse: reverseOp((values) => [...values.keys()].filter((axis) => values[axis])),
  Gather: gatherOp(() => 0),
  GatherV2: gatherOp((values) => valuesAt(values, 2)[0] ?? 0),
};

/** TensorFlow.js's kernel on wasm reads beyond the end. */
function checkSlice(shape: readonly number[], begin: readonly number[], size: readonly number[]): void {
  if (begin.length !== shape.length || size.length !== shape.length) {
    const got = `${begin.length} and ${size.length} for [${shape}]`;
    throw invalid("Slice", `expected a begin and a size for each axis, got ${got}`);
  }
  for (let axis = 0; axis < shape.length; axis++) {
    const [from, length, whole] = [begin[axis] ?? 0, size[axis] ?? 0, shape[axis] ?? 0];
    if (from >= 0 && length >= 0 && from + length <= whole) continue;
    throw invalid("Slice", `${length} from ${from} on, along axis ${axis}, is outside [0, ${whole})`);
  }
}

function concatOp(axisAt: number, parts: (inputs: readonly TensorInfo[]) => readonly TensorInfo[]): DirectOp {
  return {
    reads: [axisAt],
    bind({ op }, device) {
      const run = bindKernel(device, "Concat");
      const reshape = bindKernel(device, "Reshape");
      return (inputs, values) => {
        const tensors = parts(inputs);
        const x = inputAt(tensors, 0);
        if (tensors.length === 1) return reshape({ x }, { shape: x.shape });
        const axis = axisOf(op, valuesAt(values, axisAt)[0] ?? 0, x.shape.length);
        const fits = ({ shape }: TensorInfo) =>
          shape.length === x.shape.length && shape.every((size, each) => each === axis || size === x.shape[each]);
        const other = tensors.find((tensor) => !fits(tensor));
        if (other === undefined) return run(tensors, { axis });
        throw invalid(op, `expected shapes that differ along axis ${axis}, got [${x.shape}] and [${other.shape}]`);
      };
    },
  };
}

function splitOp({ input, axisAt }: { readonly input: number; readonly axisAt: number }): DirectOp {
  return {
    reads: input === 1 ? [axisAt] : [1, axisAt],
    bind(attrs, device) {
      const run = bindKernel(device, "SplitV");
      const count = attrs.int("num_split", 1);
      return (inputs, values) => {
        const x = inputAt(inputs, input);
        const axis = axisOf(attrs.op, valuesAt(values, axisAt)[0] ?? 0, x.shape.length);
        const numOrSizeSplits = input === 1 ? count : [...valuesAt(values, 1)];
        if (!isSplit(x.shape[axis] ?? 0, numOrSizeSplits)) {
          throw invalid(attrs.op, `[${x.shape}] has no such parts along axis ${axis}: ${numOrSizeSplits}`);
        }
        return run({ x }, { numOrSizeSplits, axis });
      };
    },
  };
}

/** Whether so many elements make so many equal parts, or parts of these sizes, of which one may be −1: the rest. */
function isSplit(size: number, parts: number | readonly number[]): boolean {
  if (typeof parts === "number") return size % parts === 0;
  const open = parts.filter((part) => part === -1).length;
  const known = parts.reduce((sum, part) => sum + part, open);
  return parts.every((part) => part >= -1) && (open === 0 ? known === size : open === 1 && known <= size);
}

function reverseOp(axes: (values: readonly number[]) => readonly number[]): DirectOp {
  return kernelOp(
    "Reverse",
    (run, { op }) =>
      (inputs, values) => {
        const x = inputAt(inputs, 0);
        return run({ x }, { dims: axes(valuesAt(values, 1)).map((axis) => axisOf(op, axis, x.shape.length)) });
      },
    [1],
  );
}

function gatherOp(axisIn: (values: Values) => number): DirectOp {
  return kernelOp(
    "GatherV2",
    (run, attrs, device): RunDirect => {
      const batchDims = attrs.int("batch_dims", 0);
      return (inputs, values) => {
        const [x, indices] = [inputAt(inputs, 0), inputAt(inputs, 1)];
        const axis = axisOf(attrs.op, axisIn(values), x.shape.length);
        const batches = batchDims < 0 ? batchDims + indices.shape.length : batchDims;
        const areAlike = sameShape(x.shape.slice(0, batches), indices.shape.slice(0, batches));
        if (!areAlike || batches < 0 || batches > axis) {
          const got = `[${x.shape}] and [${indices.shape}]`;
          throw invalid(attrs.op, `expected ${batches} axes of batches, alike, before axis ${axis}, got ${got}`);
        }
        if (indices.dtype === "int32") return run({ x, indices }, { axis, batchDims: batches });
        return compose(device, [x, indices], ([of, at]) =>
          gather(of as TfjsTensor, cast(at as TfjsTensor, "int32"), axis, batches),
        );
      };
    },
    [2],
  );
}
