import {
  batchToSpaceND,
  cast,
  gatherND,
  mirrorPad,
  scatterND,
  spaceToBatchND,
  type Tensor as TfjsTensor,
  zeros,
} from "@tensorflow/tfjs-core";
import type { Kernels } from "./kernel.ts";
import { invalid } from "./plain-tensors.ts";

/** Ops that pick elements, and put them elsewhere. */
export const rearrangeKernels: Kernels = {
  GatherNd: { compose: ([x, indices]) => gatherND(x as TfjsTensor, indices as TfjsTensor) }, // it has two inputs
  /** TensorFlow.js on WebGPU adds no booleans, and nothing to nothing. */
  ScatterNd: {
    reads: [2],
    compose([indices, updates], _, { 2: shape = [] }) {
      const [at, values] = [indices as TfjsTensor, updates as TfjsTensor]; // it has three inputs
      const dtype = values.dtype === "bool" ? "int32" : values.dtype;
      if (at.size === 0 || values.size === 0) return zeros([...shape], values.dtype as "float32");
      return cast(scatterND(at, cast(values, dtype), [...shape] as never), values.dtype); // its type names a rank
    },
  },
  MirrorPad: {
    reads: [1],
    compose: ([x], attrs, { 1: paddings = [] }) =>
      mirrorPad(x as TfjsTensor, pairs(paddings), attrs.text("mode", "REFLECT").toLowerCase() as "reflect"),
  },
  SpaceToBatchND: {
    reads: [1, 2],
    compose([x], { op }, { 1: block = [], 2: paddings = [] }) {
      if (paddings.some((size) => size < 0)) throw invalid(op, `expected paddings from 0, got [${paddings}]`);
      return spaceToBatchND(x as TfjsTensor, [...block], pairs(paddings));
    },
  },
  BatchToSpaceND: {
    reads: [1, 2],
    compose: ([x], _, { 1: block = [], 2: crops = [] }) => batchToSpaceND(x as TfjsTensor, [...block], pairs(crops)),
  },
};

function pairs(values: readonly number[]): [number, number][] {
  return Array.from({ length: values.length / 2 }, (_, axis) => [values[2 * axis] ?? 0, values[2 * axis + 1] ?? 0]);
}
