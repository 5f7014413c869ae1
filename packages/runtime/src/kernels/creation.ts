import {
  linspace,
  multinomial,
  ones,
  randomStandardNormal,
  type Tensor2D,
  tensor,
  truncatedNormal,
  zeros,
} from "@tensorflow/tfjs-core";
import type { Kernels } from "./kernel.ts";
import { numericType } from "./kernel-attrs.ts";
import { invalid, sizeOf } from "./plain-tensors.ts";

/** Ops that make tensors of a shape, or at random. Random ones follow no seed of the model's. */
export const creationKernels: Kernels = {
  Zeros: { reads: [0], compose: (_, attrs, { 0: shape = [] }) => zeros([...shape], numericType(attrs, "T")) },
  Ones: { reads: [0], compose: (_, attrs, { 0: shape = [] }) => ones([...shape], numericType(attrs, "T")) },
  LinSpace: {
    reads: [0, 1, 2],
    compose: (_, __, { 0: [start = 0] = [], 1: [stop = 0] = [], 2: [count = 1] = [] }) => linspace(start, stop, count),
  },
  RandomStandardNormal: {
    reads: [0],
    compose: (_, attrs, { 0: shape = [] }) =>
      randomStandardNormal([...shape], numericType(attrs, "dtype") as "float32"),
  },
  RandomUniform: {
    reads: [0],
    compose: (_, __, { 0: shape = [] }) => tensor(Float32Array.from({ length: sizeOf(shape) }, uniform), [...shape]),
  },
  /** At least the second input, less than the third; TensorFlow.js rounds negative ones up. */
  RandomUniformInt: {
    reads: [0, 1, 2],
    compose(_, __, { 0: shape = [], 1: [least = 0] = [], 2: [end = 1] = [] }) {
      if (least >= end) throw invalid("RandomUniformInt", `expected minval < maxval, got ${least} and ${end}`);
      const draw = () => least + Math.floor(Math.random() * (end - least));
      return tensor(Int32Array.from({ length: sizeOf(shape) }, draw), [...shape], "int32");
    },
  },
  TruncatedNormal: {
    reads: [0],
    compose: (_, attrs, { 0: shape = [] }) =>
      truncatedNormal([...shape], 0, 1, numericType(attrs, "dtype") as "float32"),
  },
  /** Indices of classes, from logits [b, classes]: [b, samples]. */
  Multinomial: {
    reads: [1],
    compose: ([logits], _, { 1: [samples = 1] = [] }) => multinomial(logits as Tensor2D, samples),
  },
};

/** In [0, 1) as a float32, too: of more than 24 bits, some round to 1. */
const uniform = () => Math.floor(Math.random() * 2 ** 24) / 2 ** 24;
