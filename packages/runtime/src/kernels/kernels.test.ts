import { decodeText, type Tensor } from "@nearside/core";
import { expectClose } from "@nearside/core/testing";
import { memory } from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readKernelGolden } from "../../testing/kernel-golden.ts";
import { randomOps } from "../../testing/random-ops.ts";
import { type JsonAttrs, runOp } from "../../testing/run-op.ts";
import { openCpuBackend } from "../backends/cpu.ts";
import type { LoadedBackend } from "../backends/loaded-backend.ts";
import { openWasmBackend } from "../backends/wasm.ts";
import { commonKernels } from "./common.ts";
import { kernels } from "./index.ts";

const f32 = (shape: readonly number[], ...values: number[]): Tensor => ({
  dtype: "float32",
  shape,
  data: Float32Array.from(values),
});
const i32 = (shape: readonly number[], ...values: number[]): Tensor => ({
  dtype: "int32",
  shape,
  data: Int32Array.from(values),
});
const bool = (shape: readonly number[], ...values: number[]): Tensor => ({
  dtype: "bool",
  shape,
  data: Uint8Array.from(values),
});
const c64 = (shape: readonly number[], ...values: number[]): Tensor => ({
  dtype: "complex64",
  shape,
  data: Float32Array.from(values),
});
const text = (shape: readonly number[], ...values: string[]): Tensor => ({ dtype: "string", shape, data: values });

/** A serialized tf.Example of short features: [name, field of the list, the list's bytes]. */
function example(...features: readonly (readonly [string, 1 | 2 | 3, readonly number[]])[]): string {
  const field = (number: number, bytes: readonly number[]) => [number * 8 + 2, bytes.length, ...bytes];
  const ascii = (name: string) => Array.from(name, (char) => char.charCodeAt(0));
  const entries = features.map(([name, list, bytes]) =>
    field(1, [...field(1, ascii(name)), ...field(2, field(list, field(1, bytes)))]),
  );
  return decodeText(Uint8Array.from(field(1, entries.flat())));
}

const floats = (...values: number[]) => Array.from(new Uint8Array(Float32Array.from(values).buffer));

const examples = text(
  [2],
  example(["x", 2, floats(1.5, -2)], ["name", 1, [0x61, 0xff]], ["id", 3, [7, 0x80, 1]]),
  example(["id", 3, [9]]),
);

interface Row {
  readonly op: string;
  readonly attrs?: JsonAttrs;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** What the row is about, where the op's name doesn't say it. */
  readonly about?: string;
}

/** Most values are those of the examples in TensorFlow's documentation of the op. */
const rows: readonly Row[] = [
  {
    op: "SpaceToDepth",
    attrs: { block_size: { i: "2" }, data_format: { s: "NHWC" } },
    inputs: [f32([1, 2, 4, 1], 1, 2, 5, 6, 3, 4, 7, 8)],
    outputs: [f32([1, 1, 2, 4], 1, 2, 3, 4, 5, 6, 7, 8)],
  },
  {
    op: "SpaceToDepth",
    about: "of channels first, which TensorFlow has on GPUs only",
    attrs: { block_size: { i: "2" }, data_format: { s: "NCHW" } },
    inputs: [f32([1, 1, 2, 4], 1, 2, 5, 6, 3, 4, 7, 8)],
    outputs: [f32([1, 4, 1, 2], 1, 5, 2, 6, 3, 7, 4, 8)],
  },
  {
    op: "DepthToSpace",
    about: "of channels first, which TensorFlow has on GPUs only",
    attrs: { block_size: { i: "2" }, data_format: { s: "NCHW" } },
    inputs: [f32([1, 4, 1, 2], 1, 5, 2, 6, 3, 7, 4, 8)],
    outputs: [f32([1, 1, 2, 4], 1, 2, 5, 6, 3, 4, 7, 8)],
  },
  { op: "Zeros", inputs: [i32([2], 1, 2)], outputs: [f32([1, 2], 0, 0)] },
  {
    op: "Zeros",
    about: "as booleans",
    attrs: { T: { type: "DT_BOOL" } },
    inputs: [i32([1], 2)],
    outputs: [bool([2], 0, 0)],
  },
  { op: "Ones", attrs: { T: { type: "DT_INT64" } }, inputs: [i32([1], 3)], outputs: [i32([3], 1, 1, 1)] },
  { op: "Ones", about: "of nothing", inputs: [i32([2], 0, 3)], outputs: [f32([0, 3])] },
  { op: "BroadcastTo", inputs: [i32([1, 2], 1, 2), i32([2], 2, 2)], outputs: [i32([2, 2], 1, 2, 1, 2)] },
  {
    op: "BroadcastTo",
    about: "to nothing, which TensorFlow.js makes one row of",
    inputs: [i32([1, 2], 1, 2), i32([2], 0, 2)],
    outputs: [i32([0, 2])],
  },
  {
    op: "OneHot",
    about: "of floats, which TensorFlow.js on wasm writes as integers",
    inputs: [i32([3], 0, 2, -1), i32([], 3), f32([], 5), f32([], 0.5)],
    outputs: [f32([3, 3], 5, 0.5, 0.5, 0.5, 0.5, 5, 0.5, 0.5, 0.5)],
  },
  { op: "ArgMax", inputs: [f32([3], 1, 7, 7), i32([], 0)], outputs: [i32([], 1)] },
  { op: "ArgMin", inputs: [i32([2, 2], 4, 3, 1, 2), i32([], -1)], outputs: [i32([2], 1, 0)] },
  { op: "Any", about: "of nothing", inputs: [bool([2, 0]), i32([], 1)], outputs: [bool([2], 0, 0)] },
  { op: "All", about: "of nothing", inputs: [bool([2, 0]), i32([], 1)], outputs: [bool([2], 1, 1)] },
  { op: "Prod", about: "of nothing", inputs: [f32([0, 2]), i32([1], 0)], outputs: [f32([2], 1, 1)] },
  { op: "Prod", inputs: [f32([2, 2], 1, 2, 3, 4), i32([1], -1)], outputs: [f32([2], 2, 12)] },
  {
    op: "Cumsum",
    about: "along an axis from the end, where TensorFlow.js on wasm writes past its output",
    attrs: { exclusive: { b: true } },
    inputs: [i32([3, 2], 1, 2, 3, 4, 5, 6), i32([], -2)],
    outputs: [i32([3, 2], 0, 0, 1, 2, 4, 6)],
  },
  { op: "Cumprod", inputs: [f32([3], 2, 3, 4), i32([], -1)], outputs: [f32([3], 2, 6, 24)] },
  {
    op: "FloorDiv",
    about: "of floats, which TensorFlow.js makes int32",
    inputs: [f32([3], 1e12, -1, 1), f32([3], 1, 2, 0)],
    outputs: [f32([3], 1e12, -1, Number.POSITIVE_INFINITY)],
  },
  { op: "FloorDiv", inputs: [i32([2], 7, -7), i32([], 2)], outputs: [i32([2], 3, -4)] },
  { op: "TruncateDiv", inputs: [i32([4], 7, -7, 7, -7), i32([4], 2, 2, -3, -3)], outputs: [i32([4], 3, -3, -2, 2)] },
  { op: "TruncateMod", inputs: [i32([4], 7, -7, 7, -7), i32([4], 2, 2, -3, -3)], outputs: [i32([4], 1, -1, 1, -1)] },
  { op: "ClipByValue", inputs: [i32([3], -9, 1, 9), i32([], -2), i32([], 2)], outputs: [i32([3], -2, 1, 2)] },
  { op: "ClipByValue", inputs: [f32([3], -9, 1, 9), f32([], -2), f32([], 2)], outputs: [f32([3], -2, 1, 2)] },
  {
    op: "BatchMatMulV2",
    about: "of two and three matrices, which TensorFlow.js on cpu pairs wrongly",
    inputs: [f32([2, 1, 1, 1], 1, 10), f32([3, 1, 1], 1, 2, 3)],
    outputs: [f32([2, 3, 1, 1], 1, 2, 3, 10, 20, 30)],
  },
  {
    op: "DenseBincount",
    about: "whether a number occurs in a vector",
    attrs: { binary_output: { b: true } },
    inputs: [i32([3], 1, 1, 3), i32([], 4), f32([0])],
    outputs: [f32([4], 0, 1, 0, 1)],
  },
  {
    op: "MaxPool3D",
    about: "of negative numbers, of which TensorFlow.js on wasm finds none",
    attrs: {
      ksize: { list: { i: ["1", "2", "1", "2", "1"] } },
      strides: { list: { i: ["1", "1", "1", "1", "1"] } },
      padding: { s: "SAME" },
    },
    inputs: [f32([1, 2, 1, 2, 1], -4, -3, -2, -5)],
    outputs: [f32([1, 2, 1, 2, 1], -2, -3, -2, -5)],
  },
  {
    op: "Cast",
    about: "to bool, which TensorFlow.js on wasm makes of the number's whole part",
    attrs: { DstT: { type: "DT_BOOL" } },
    inputs: [f32([3], 0.5, 0, 3)],
    outputs: [bool([3], 1, 0, 1)],
  },
  { op: "Pad", inputs: [f32([2], 1, 2), i32([1, 2], 1, 0)], outputs: [f32([3], 0, 1, 2)] },
  {
    op: "PadV2",
    about: "along five axes, which TensorFlow.js on WebGPU can't",
    inputs: [f32([1, 1, 1, 1, 2], 1, 2), i32([5, 2], 0, 0, 1, 0, 0, 0, 0, 0, 0, 1), f32([], 9)],
    outputs: [f32([1, 2, 1, 1, 3], 9, 9, 9, 1, 2, 9)],
  },
  {
    op: "StringNGrams",
    about: "with capitals, which TensorFlow.js lower-cases",
    attrs: {
      separator: { s: " AND " },
      ngram_widths: { list: { i: ["2"] } },
      left_pad: { s: "L" },
      pad_width: { i: "-1" },
    },
    inputs: [text([2], "a", "b"), i32([2], 0, 2)],
    outputs: [text([3], "L AND a", "a AND b", "b AND "), i32([2], 0, 3)],
  },
  // Kernels of TensorFlow.js that backends/ corrects:
  { op: "ReverseV2", about: "of booleans", inputs: [bool([3], 1, 1, 0), i32([1], 0)], outputs: [bool([3], 0, 1, 1)] },
  {
    op: "SelectV2",
    about: "of nothing, which TensorFlow.js makes one of what was in memory",
    inputs: [bool([0]), i32([], 1), i32([0])],
    outputs: [i32([0])],
  },
  {
    op: "SelectV2",
    about: "of booleans",
    inputs: [bool([3], 1, 0, 1), bool([3], 1, 0, 0), bool([3], 0, 1, 1)],
    outputs: [bool([3], 1, 1, 0)],
  },
  {
    op: "StridedSlice",
    about: "of integers",
    inputs: [i32([5], 1, 2, 3, 4, 5), i32([1], 0), i32([1], 5), i32([1], 2)],
    outputs: [i32([3], 1, 3, 5)],
  },
  {
    op: "StridedSlice",
    about: "of strings",
    inputs: [text([3], "a", "b", "c"), i32([1], 1), i32([1], 3), i32([1], 1)],
    outputs: [text([2], "b", "c")],
  },
  {
    op: "StridedSlice",
    about: "of booleans",
    inputs: [bool([5], 1, 1, 0, 1, 1), i32([1], 0), i32([1], 5), i32([1], 2)],
    outputs: [bool([3], 1, 0, 1)],
  },
  {
    op: "Conv2D",
    about: "whose stride leaves out pixels",
    attrs: {
      strides: { list: { i: ["1", "2", "2", "1"] } },
      dilations: { list: { i: ["1", "1", "1", "1"] } },
      padding: { s: "SAME" },
    },
    inputs: [f32([1, 4, 4, 1], 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16), f32([3, 1, 1, 1], 1, 1, 1)],
    outputs: [f32([1, 2, 2, 1], 15, 21, 22, 26)],
  },
  {
    op: "DepthwiseConv2dNative",
    about: "whose stride leaves out pixels",
    attrs: {
      strides: { list: { i: ["1", "2", "2", "1"] } },
      dilations: { list: { i: ["1", "1", "1", "1"] } },
      padding: { s: "SAME" },
    },
    inputs: [f32([1, 4, 4, 1], 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16), f32([3, 1, 1, 1], 1, 1, 1)],
    outputs: [f32([1, 2, 2, 1], 15, 21, 22, 26)],
  },
  {
    op: "SparseToDense",
    inputs: [i32([2, 2], 0, 1, 1, 0), i32([2], 2, 2), f32([2], 5, 6), f32([], -1)],
    outputs: [f32([2, 2], -1, 5, 6, -1)],
  },
  {
    op: "SparseToDense",
    about: "of strings, on which TensorFlow.js on wasm aborts",
    inputs: [i32([2, 2], 0, 1, 1, 0), i32([2], 2, 2), text([2], "a", "\udcff"), text([], "-")],
    outputs: [text([2, 2], "-", "a", "\udcff", "-")],
  },
  {
    op: "SparseToDense",
    about: "of one boolean for all indices",
    inputs: [i32([2], 0, 2), i32([1], 3), bool([], 1), bool([], 0)],
    outputs: [bool([3], 1, 0, 1)],
  },
  { op: "Tile", inputs: [i32([1, 2], 1, 2), i32([2], 2, 2)], outputs: [i32([2, 4], 1, 2, 1, 2, 1, 2, 1, 2)] },
  {
    op: "Tile",
    about: "of strings, on which TensorFlow.js on wasm aborts",
    inputs: [text([2, 1], "a", "\udcff"), i32([2], 2, 2)],
    outputs: [text([4, 2], "a", "a", "\udcff", "\udcff", "a", "a", "\udcff", "\udcff")],
  },
  { op: "Roll", inputs: [i32([5], 0, 1, 2, 3, 4), i32([1], 2), i32([1], 0)], outputs: [i32([5], 3, 4, 0, 1, 2)] },
  {
    op: "Roll",
    about: "along two axes",
    inputs: [i32([2, 5], 0, 1, 2, 3, 4, 5, 6, 7, 8, 9), i32([2], 1, -2), i32([2], 0, 1)],
    outputs: [i32([2, 5], 7, 8, 9, 5, 6, 2, 3, 4, 0, 1)],
  },
  {
    op: "ReverseSequence",
    attrs: { seq_dim: { i: "1" }, batch_dim: { i: "0" } },
    inputs: [i32([2, 4], 1, 2, 3, 4, 5, 6, 7, 8), i32([2], 3, 2)],
    outputs: [i32([2, 4], 3, 2, 1, 4, 6, 5, 7, 8)],
  },
  { op: "BroadcastGradientArgs", inputs: [i32([3], 2, 1, 3), i32([2], 4, 3)], outputs: [i32([1], 1), i32([1], 0)] },
  {
    op: "BroadcastGradientArgs",
    about: "of equal shapes",
    inputs: [i32([1], 1), i32([1], 1)],
    outputs: [i32([0]), i32([0])],
  },
  { op: "NearsideListReserve", inputs: [i32([1], 2), i32([], 3)], outputs: [f32([3, 2], 0, 0, 0, 0, 0, 0)] },
  {
    op: "NearsideListReserve",
    about: "of elements of an unknown shape",
    attrs: { element_dtype: { type: "DT_INT32" } },
    inputs: [i32([], -1), i32([], 3)],
    outputs: [i32([3, 0])],
  },
  {
    op: "NearsideListSet",
    inputs: [f32([3], 1, 2, 3), i32([], 1), f32([], 9)],
    outputs: [f32([3], 1, 9, 3)],
  },
  {
    op: "NearsideListSet",
    about: "of the first element, which tells their shape",
    inputs: [f32([3, 0]), i32([], 2), f32([2], 8, 9)],
    outputs: [f32([3, 2], 0, 0, 0, 0, 8, 9)],
  },
  {
    op: "NearsideListSet",
    about: "beyond the end",
    inputs: [f32([1], 1), i32([], 2), f32([], 9)],
    outputs: [f32([3], 1, 0, 9)],
  },
  { op: "NearsideListGet", inputs: [f32([2, 2], 1, 2, 3, 4), i32([], 1), i32([], -1)], outputs: [f32([2], 3, 4)] },
  {
    op: "NearsideListGet",
    about: "of an element that was never set",
    inputs: [f32([2, 0]), i32([], 1), i32([1], 2)],
    outputs: [f32([2], 0, 0)],
  },
  {
    op: "NearsideListGather",
    inputs: [f32([3], 1, 2, 3), i32([2], 2, 0), i32([], -1)],
    outputs: [f32([2], 3, 1)],
  },
  { op: "NearsideListStack", inputs: [f32([2], 1, 2), i32([0])], outputs: [f32([2], 1, 2)] },
  { op: "NearsideListPush", inputs: [f32([1, 2], 1, 2), f32([2], 3, 4)], outputs: [f32([2, 2], 1, 2, 3, 4)] },
  { op: "NearsideListPush", about: "to none", inputs: [f32([0, 0]), f32([2], 3, 4)], outputs: [f32([1, 2], 3, 4)] },
  { op: "NearsideListLength", inputs: [f32([3, 2], 1, 2, 3, 4, 5, 6)], outputs: [i32([], 3)] },
  { op: "InvertPermutation", inputs: [i32([5], 3, 4, 0, 2, 1)], outputs: [i32([5], 2, 4, 3, 0, 1)] },
  {
    op: "NearsideTensorScatterUpdate",
    inputs: [f32([4], 1, 2, 3, 4), i32([2, 1], 3, 0), f32([2], 9, 8)],
    outputs: [f32([4], 8, 2, 3, 9)],
  },
  {
    op: "TensorScatterAdd",
    inputs: [f32([3], 1, 1, 1), i32([3, 1], 0, 2, 0), f32([3], 1, 2, 3)],
    outputs: [f32([3], 5, 1, 3)],
  },
  {
    op: "TensorScatterSub",
    inputs: [f32([2], 1, 1), i32([1, 1], 1), f32([1], 3)],
    outputs: [f32([2], 1, -2)],
  },
  {
    op: "CombinedNonMaxSuppression",
    about: "of two classes, padded",
    inputs: [
      f32([1, 3, 1, 4], 0, 0, 0.5, 0.5, 0, 0, 0.5, 0.45, 0.6, 0.6, 1.2, 1),
      f32([1, 3, 2], 0.9, 0, 0.8, 0.3, 0.2, 0.7),
      i32([], 2),
      i32([], 4),
      f32([], 0.5),
      f32([], 0.25),
    ],
    outputs: [
      f32([1, 4, 4], 0, 0, 0.5, 0.5, 0.6, 0.6, 1, 1, 0, 0, 0.5, 0.45, 0, 0, 0, 0),
      f32([1, 4], 0.9, 0.7, 0.3, 0),
      f32([1, 4], 0, 1, 1, 0),
      i32([1], 3),
    ],
  },
  {
    op: "ParseExampleV2",
    about: "of sparse, dense and ragged features",
    attrs: {
      num_sparse: { i: "1" },
      sparse_types: { list: { type: ["DT_STRING"] } },
      Tdense: { list: { type: ["DT_FLOAT"] } },
      dense_shapes: { list: { shape: [{ dim: [{ size: "2" }] }] } },
      ragged_value_types: { list: { type: ["DT_INT64"] } },
    },
    inputs: [examples, text([0]), text([1], "name"), text([1], "x"), text([1], "id"), f32([2], 8, 9)],
    outputs: [
      i32([1, 2], 0, 0),
      text([1], "a\udcff"),
      i32([2], 2, 1),
      f32([2, 2], 1.5, -2, 8, 9),
      i32([3], 7, 128, 9),
      i32([3], 0, 2, 3),
    ],
  },
  {
    op: "ParseExample",
    about: "of a sparse feature and a dense one of any length",
    attrs: {
      Nsparse: { i: "1" },
      Ndense: { i: "1" },
      sparse_types: { list: { type: ["DT_FLOAT"] } },
      Tdense: { list: { type: ["DT_INT64"] } },
      dense_shapes: { list: { shape: [{ dim: [{ size: "-1" }] }] } },
    },
    inputs: [examples, text([0]), text([], "x"), text([], "id"), i32([1], -1)],
    outputs: [i32([2, 2], 0, 0, 0, 1), f32([2], 1.5, -2), i32([2], 2, 2), i32([2, 2], 7, 128, 9, -1)],
  },
  { op: "Xlogy", inputs: [f32([3], 0, 0, 2), f32([3], 0, -1, Math.E)], outputs: [f32([3], 0, 0, 2)] },
  { op: "Xlog1py", inputs: [f32([2], 0, 3), f32([2], -1, Math.E - 1)], outputs: [f32([2], 0, 3)] },
  { op: "Xdivy", inputs: [f32([2], 0, 3), f32([2], 0, 2)], outputs: [f32([2], 0, 1.5)] },
  {
    op: "Bucketize",
    attrs: { boundaries: { list: { f: [0, 10, 100] } } },
    inputs: [f32([3, 2], -5, 10000, 150, 10, 5, 100)],
    outputs: [i32([3, 2], 0, 3, 3, 2, 1, 3)],
  },
  {
    op: "BucketizeWithInputBoundaries",
    inputs: [f32([2], 5, 10), f32([2], 0, 10)],
    outputs: [i32([2], 1, 2)],
  },
  {
    op: "BucketizeWithInputBoundaries",
    about: "with boundaries in a row, as TensorFlow Transform exports them",
    inputs: [f32([2], 5, 10), f32([1, 2], 0, 10)],
    outputs: [i32([2], 1, 2)],
  },
  {
    op: "BoostedTreesBucketize",
    about: "where a boundary belongs to the bucket below it, and nothing lies above the last",
    attrs: { num_features: { i: "2" } },
    inputs: [f32([3], 0, 1, 9), f32([1], 5), f32([3], 0, 1, 2), f32([0])],
    outputs: [i32([3], 0, 1, 2), i32([1], 0)],
  },
  {
    op: "CumulativeLogsumexp",
    inputs: [f32([1, 3], 0, 0, Math.log(2)), i32([], 1)],
    outputs: [f32([1, 3], 0, Math.log(2), Math.log(4))],
  },
  {
    op: "CumulativeLogsumexp",
    about: "exclusive and in reverse",
    attrs: { exclusive: { b: true }, reverse: { b: true } },
    inputs: [f32([3], 0, 0, 0), i32([], 0)],
    outputs: [f32([3], Math.log(2), 0, Number.NEGATIVE_INFINITY)],
  },
  {
    op: "InTopKV2",
    inputs: [f32([2, 3], 0.1, 0.7, 0.7, 0.5, 0.3, 0.2), i32([2], 2, 1), i32([], 1)],
    outputs: [bool([2], 1, 0)],
  },
  {
    op: "NearsideMatrixBandPart",
    about: "as a causal mask, which TensorFlow.js makes all ones",
    inputs: [f32([3, 3], ...new Array(9).fill(1)), i32([], -1), i32([], 0)],
    outputs: [f32([3, 3], 1, 0, 0, 1, 1, 0, 1, 1, 1)],
  },
  {
    op: "MatrixDiagV3",
    inputs: [f32([2, 2], 1, 2, 3, 4), i32([], 0), i32([], -1), i32([], -1), f32([], 0)],
    outputs: [f32([2, 2, 2], 1, 0, 0, 2, 3, 0, 0, 4)],
  },
  {
    op: "MatrixDiagV3",
    about: "with a band of three, by the default alignment",
    inputs: [f32([3, 3], 0, 8, 9, 1, 2, 3, 4, 5, 0), i32([2], -1, 1), i32([], -1), i32([], -1), f32([], 0)],
    outputs: [f32([3, 3], 1, 8, 0, 4, 2, 9, 0, 5, 3)],
  },
  {
    op: "MatrixDiagPartV3",
    inputs: [f32([3, 4], 1, 2, 3, 4, 5, 6, 7, 8, 9, 8, 7, 6), i32([2], -1, 2), f32([], 0)],
    outputs: [f32([4, 3], 0, 3, 8, 2, 7, 6, 1, 6, 7, 5, 8, 0)],
  },
  {
    op: "MatrixSetDiagV3",
    inputs: [f32([2, 3], 7, 7, 7, 7, 7, 7), f32([2], 1, 2), i32([], 0)],
    outputs: [f32([2, 3], 1, 7, 7, 7, 2, 7)],
  },
  {
    op: "RaggedRange",
    inputs: [i32([3], 0, 5, 8), i32([3], 3, 5, 12), i32([], 1)],
    outputs: [i32([4], 0, 3, 3, 7), i32([7], 0, 1, 2, 8, 9, 10, 11)],
  },
  {
    op: "RaggedGather",
    attrs: { PARAMS_RAGGED_RANK: { i: "1" }, OUTPUT_RAGGED_RANK: { i: "1" } },
    inputs: [i32([4], 0, 3, 3, 5), f32([5], 1, 2, 3, 4, 5), i32([2], 2, 0)],
    outputs: [i32([3], 0, 2, 5), f32([5], 4, 5, 1, 2, 3)],
  },
  {
    op: "RaggedTensorToTensor",
    attrs: { row_partition_types: { list: { s: ["ROW_SPLITS"] } }, num_row_partition_tensors: { i: "1" } },
    inputs: [i32([], -1), f32([5], 1, 2, 3, 4, 5), f32([], 9), i32([4], 0, 3, 3, 5)],
    outputs: [f32([3, 3], 1, 2, 3, 9, 9, 9, 4, 5, 9)],
  },
  {
    op: "RaggedTensorToTensor",
    about: "from row ids, cut off at two columns",
    attrs: { row_partition_types: { list: { s: ["FIRST_DIM_SIZE", "VALUE_ROWIDS"] } } },
    inputs: [i32([2], -1, 2), text([4], "a", "b", "c", "d"), text([], "-"), i32([], 3), i32([4], 0, 0, 0, 2)],
    outputs: [text([3, 2], "a", "b", "-", "-", "d", "-")],
  },
  {
    op: "UnsortedSegmentSum",
    about: "which leaves out negative ids",
    inputs: [f32([4, 2], 1, 2, 3, 4, 5, 6, 7, 8), i32([4], 0, 2, 0, -1), i32([], 3)],
    outputs: [f32([3, 2], 6, 8, 0, 0, 3, 4)],
  },
  { op: "UnsortedSegmentProd", inputs: [f32([2], 2, 3), i32([2], 1, 1), i32([], 2)], outputs: [f32([2], 1, 6)] },
  {
    op: "UnsortedSegmentMax",
    inputs: [i32([2], 2, 3), i32([2], 1, 1), i32([], 2)],
    outputs: [i32([2], -(2 ** 31), 3)],
  },
  { op: "UnsortedSegmentMin", inputs: [i32([2], 2, 3), i32([2], 0, 0), i32([], 1)], outputs: [i32([1], 2)] },
  { op: "SegmentSum", inputs: [f32([3], 1, 2, 3), i32([3], 0, 0, 2)], outputs: [f32([3], 3, 0, 3)] },
  { op: "SegmentMean", inputs: [f32([3], 1, 2, 3), i32([3], 0, 0, 2)], outputs: [f32([3], 1.5, 0, 3)] },
  { op: "SegmentProd", inputs: [f32([3], 4, 2, 3), i32([3], 0, 0, 1)], outputs: [f32([2], 8, 3)] },
  { op: "SegmentMax", inputs: [f32([3], 1, 2, 3), i32([3], 0, 0, 1)], outputs: [f32([2], 2, 3)] },
  { op: "SegmentMin", inputs: [f32([3], 1, 2, 3), i32([3], 0, 0, 1)], outputs: [f32([2], 1, 3)] },
  { op: "Unique", inputs: [i32([4], 7, 5, 7, 8)], outputs: [i32([3], 7, 5, 8), i32([4], 0, 1, 0, 2)] },
  {
    op: "UniqueV2",
    about: "of rows",
    inputs: [i32([3, 2], 1, 2, 3, 4, 1, 2), i32([1], 0)],
    outputs: [i32([2, 2], 1, 2, 3, 4), i32([3], 0, 1, 0)],
  },
  {
    op: "UniqueWithCounts",
    inputs: [text([3], "a", "b", "a")],
    outputs: [text([2], "a", "b"), i32([3], 0, 1, 0), i32([2], 2, 1)],
  },
  {
    op: "UniqueWithCountsV2",
    inputs: [f32([2], 1, 1), i32([0])],
    outputs: [f32([1], 1), i32([2], 0, 0), i32([1], 2)],
  },
  {
    op: "SparseReshape",
    inputs: [i32([2, 2], 0, 1, 1, 2), i32([2], 2, 3), i32([2], 3, -1)],
    outputs: [i32([2, 2], 0, 1, 2, 1), i32([2], 3, 2)],
  },
  {
    op: "SparseFillEmptyRows",
    inputs: [i32([2, 2], 1, 0, 1, 3), f32([2], 5, 6), i32([2], 3, 4), f32([], 9)],
    outputs: [i32([4, 2], 0, 0, 1, 0, 1, 3, 2, 0), f32([4], 9, 5, 6, 9), bool([3], 1, 0, 1), i32([2], 1, 2)],
  },
  { op: "BitwiseAnd", inputs: [i32([2], 6, 7), i32([2], 3, 8)], outputs: [i32([2], 2, 0)] },
  { op: "StringLower", inputs: [text([2], "ABC ÄÖ", "")], outputs: [text([2], "abc ÄÖ", "")] },
  {
    op: "StringLower",
    about: "in UTF-8",
    attrs: { encoding: { s: "utf-8" } },
    inputs: [text([], "ÄB")],
    outputs: [text([], "äb")],
  },
  { op: "StringUpper", inputs: [text([1], "straße")], outputs: [text([1], "STRAßE")] },
  { op: "StringStrip", inputs: [text([1], " \ta b\n")], outputs: [text([1], "a b")] },
  {
    op: "StaticRegexReplace",
    about: "with capitals, which TensorFlow.js lower-cases",
    attrs: { pattern: { s: "([A-Z])(\\d)" }, rewrite: { s: "\\2$\\1" }, replace_global: { b: true } },
    inputs: [text([2], "A1B2", "a1")],
    outputs: [text([2], "1$A2$B", "a1")],
  },
  {
    op: "RegexReplace",
    about: "once, by RE2's own syntax",
    attrs: { replace_global: { b: false } },
    inputs: [text([1], "Ab ab"), text([], "(?i)(?P<x>[[:alpha:]])b"), text([], "<\\1>")],
    outputs: [text([1], "<A> ab")],
  },
  {
    op: "StaticRegexFullMatch",
    attrs: { pattern: { s: "a|b+" } },
    inputs: [text([3], "a", "bb", "ab")],
    outputs: [bool([3], 1, 1, 0)],
  },
  { op: "RegexFullMatch", inputs: [text([1], "A"), text([], "(?i)a")], outputs: [bool([1], 1)] },
  { op: "StringLength", inputs: [text([2], "größer", "")], outputs: [i32([2], 8, 0)] },
  {
    op: "StringLength",
    about: "in characters",
    attrs: { unit: { s: "UTF8_CHAR" } },
    inputs: [text([1], "größer")],
    outputs: [i32([1], 6)],
  },
  { op: "Substr", inputs: [text([2], "Hello", "World"), i32([], -3), i32([], 2)], outputs: [text([2], "ll", "rl")] },
  {
    op: "StringJoin",
    attrs: { separator: { s: " " } },
    inputs: [text([2], "a", "b"), text([], "X")],
    outputs: [text([2], "a X", "b X")],
  },
  { op: "AsString", attrs: { T: { type: "DT_INT64" } }, inputs: [i32([2], 3, -2)], outputs: [text([2], "3", "-2")] },
  {
    op: "ReduceJoin",
    inputs: [text([2, 2], "a", "b", "c", "d"), i32([], 0)],
    attrs: { separator: { s: "." } },
    outputs: [text([2], "a.c", "b.d")],
  },
  {
    op: "ReduceJoin",
    about: "one axis after the other",
    inputs: [text([2, 2], "a", "b", "c", "d"), i32([2], 1, 0)],
    outputs: [text([], "abcd")],
  },
  {
    op: "AsString",
    about: "of floats",
    attrs: { T: { type: "DT_FLOAT" }, precision: { i: "2" } },
    inputs: [f32([2], 1.2345, -0.5)],
    outputs: [text([2], "1.23", "-0.50")],
  },
  {
    op: "AsString",
    about: "of booleans",
    attrs: { T: { type: "DT_BOOL" } },
    inputs: [bool([2], 1, 0)],
    outputs: [text([2], "true", "false")],
  },
  { op: "StringToNumber", inputs: [text([2], "3.5", " -1e3 ")], outputs: [f32([2], 3.5, -1000)] },
  {
    op: "StringSplitV2",
    about: "at white space",
    inputs: [text([2], "hello  world", " a b c "), text([], "")],
    outputs: [i32([5, 2], 0, 0, 0, 1, 1, 0, 1, 1, 1, 2), text([5], "hello", "world", "a", "b", "c"), i32([2], 2, 3)],
  },
  {
    op: "StringSplitV2",
    about: "at a separator, once",
    attrs: { maxsplit: { i: "1" } },
    inputs: [text([1], "1<>2<>3"), text([], "<>")],
    outputs: [i32([2, 2], 0, 0, 0, 1), text([2], "1", "2<>3"), i32([2], 1, 2)],
  },
  {
    op: "StringSplit",
    inputs: [text([2], "hello world", "a b c"), text([], " ")],
    outputs: [i32([5, 2], 0, 0, 0, 1, 1, 0, 1, 1, 1, 2), text([5], "hello", "world", "a", "b", "c"), i32([2], 2, 3)],
  },
  {
    op: "Equal",
    about: "of strings, broadcast, of which TensorFlow.js on wasm makes garbage",
    inputs: [text([2, 2], "a", "", "b", "a"), text([2], "a", "")],
    outputs: [bool([2, 2], 1, 1, 0, 0)],
  },
  {
    op: "Equal",
    about: "of bytes that are no text",
    inputs: [text([2], "\udcfe", "\udcff"), text([], "\udcff")],
    outputs: [bool([2], 0, 1)],
  },
  {
    op: "Equal",
    about: "of numbers",
    inputs: [f32([3], 1, 2, 3), f32([], 2)],
    outputs: [bool([3], 0, 1, 0)],
  },
  {
    op: "NotEqual",
    about: "of strings",
    inputs: [text([2, 1], "a", "b"), text([], "a")],
    outputs: [bool([2, 1], 0, 1)],
  },
  {
    op: "Einsum",
    about: "as a matrix product",
    attrs: { equation: { s: "ij,jk->ik" } },
    inputs: [f32([2, 2], 1, 2, 3, 4), f32([2, 1], 1, 10)],
    outputs: [f32([2, 1], 21, 43)],
  },
  {
    op: "Einsum",
    about: "with a batch in another place and the output's axes in another order",
    attrs: { equation: { s: "bij,kbj->kib" } },
    inputs: [f32([2, 1, 2], 1, 2, 3, 4), f32([1, 2, 2], 1, 10, 1, 100)],
    outputs: [f32([1, 1, 2], 21, 403)],
  },
  {
    op: "Einsum",
    about: "as an outer product",
    attrs: { equation: { s: "i,j->ij" } },
    inputs: [f32([2], 1, 2), f32([2], 3, 4)],
    outputs: [f32([2, 2], 3, 4, 6, 8)],
  },
  {
    op: "Einsum",
    about: "adding up an axis that only one input has",
    attrs: { equation: { s: "ij,k->k" } },
    inputs: [f32([2, 2], 1, 2, 3, 4), f32([2], 1, 2)],
    outputs: [f32([2], 10, 20)],
  },
  {
    op: "NearsideEinsum",
    about: "with an ellipsis",
    attrs: { equation: { s: "...ij,jk->...ik" } },
    inputs: [f32([2, 1, 2], 1, 2, 3, 4), f32([2, 1], 1, 10)],
    outputs: [f32([2, 1, 1], 21, 43)],
  },
];

const complexRows: readonly Row[] = [
  { op: "Conj", inputs: [c64([2], 1, 2, 3, -4)], outputs: [c64([2], 1, -2, 3, 4)] },
  { op: "Angle", inputs: [c64([2], -2.25, 4.75, 3.25, 5.75)], outputs: [f32([2], 2.0131705, 1.056345)] },
  { op: "ComplexAbs", inputs: [c64([2], 3, -4, 0, 0)], outputs: [f32([2], 5, 0)] },
  { op: "NearsideComplexAdd", inputs: [c64([2], 1, 2, 3, 4), c64([1], 1, 1)], outputs: [c64([2], 2, 3, 4, 5)] },
  { op: "NearsideComplexSub", inputs: [c64([2], 1, 2, 3, 4), c64([], 1, 1)], outputs: [c64([2], 0, 1, 2, 3)] },
  {
    op: "NearsideComplexMul",
    about: "broadcast, which TensorFlow.js on cpu makes NaN",
    inputs: [c64([2, 2], 1, 2, 3, 4, 5, 6, 7, 8), c64([2], 0, 1, 2, 0)],
    outputs: [c64([2, 2], -2, 1, 6, 8, -6, 5, 14, 16)],
  },
  { op: "NearsideComplexDiv", inputs: [c64([1], -1, 5), c64([], 1, 1)], outputs: [c64([1], 2, 3)] },
  { op: "FFT", inputs: [c64([1, 4], 1, 0, 2, 0, 3, 0, 4, 0)], outputs: [c64([1, 4], 10, 0, -2, 2, -2, 0, -2, -2)] },
  { op: "IFFT", inputs: [c64([4], 10, 0, -2, 2, -2, 0, -2, -2)], outputs: [c64([4], 1, 0, 2, 0, 3, 0, 4, 0)] },
  {
    op: "RFFT",
    about: "cut to fft_length, which TensorFlow.js doesn't look at",
    inputs: [f32([6], 1, 2, 3, 4, 9, 9), i32([1], 4)],
    outputs: [c64([3], 10, 0, -2, 2, -2, 0)],
  },
  {
    op: "IRFFT",
    about: "of an odd length, which TensorFlow.js makes even",
    inputs: [c64([2], 6, 0, -1.5, Math.sqrt(3) / 2), i32([1], 3)],
    outputs: [f32([3], 1, 2, 3)],
  },
  {
    op: "FFT",
    about: "of 66 numbers, which is split in two steps",
    inputs: [c64([66], ...Array.from({ length: 66 }, (_, j) => [Math.cos((Math.PI * j) / 11), 0]).flat())],
    outputs: [c64([66], ...Array.from({ length: 66 }, (_, k) => [k === 3 || k === 63 ? 33 : 0, 0]).flat())],
  },
  { op: "FFT2D", inputs: [c64([2, 2], 1, 0, 2, 0, 3, 0, 4, 0)], outputs: [c64([2, 2], 10, 0, -2, 0, -4, 0, 0, 0)] },
  { op: "IFFT2D", inputs: [c64([2, 2], 10, 0, -2, 0, -4, 0, 0, 0)], outputs: [c64([2, 2], 1, 0, 2, 0, 3, 0, 4, 0)] },
];

const goldenRows: readonly Row[] = readKernelGolden();

const backends = [
  { name: "cpu", open: openCpuBackend, lacking: [] },
  {
    name: "wasm",
    open: openWasmBackend,
    // What it computes wrongly, or what would end it (see backends/wasm-kernels.ts).
    lacking: ["Dilation2D", "GatherNd of strings", "ImageProjectiveTransformV3 REFLECT", "MaxPoolWithArgmax"].concat(
      "MatMul of integers",
      "MaxPool of integers",
      "ReverseV2 of strings",
      "Transpose of strings",
    ),
  },
];

describe.each(backends)("on $name", ({ open, lacking }) => {
  let backend: LoadedBackend;
  beforeAll(async () => {
    backend = await open();
  });
  afterAll(() => backend?.close());

  for (const { op, about = "", attrs, inputs, outputs } of [...rows, ...goldenRows, ...complexRows]) {
    const node = { op, inputs, outputs: outputs.map(({ dtype }) => dtype), ...(attrs && { attrs }) };
    if (lacking.some((what) => `${op} ${about}`.startsWith(what))) {
      test(`${op} is refused instead of computed wrongly${about && `, ${about}`}`, async () => {
        await expect(runOp(node, backend)).rejects.toMatchObject({ code: "no-backend" });
      });
      continue;
    }
    test(`${op} computes what TensorFlow does${about && `, ${about}`}`, async () => {
      const before = memory().numTensors;
      const computed = await runOp(node, backend);
      expectClose(Object.fromEntries(computed.entries()), Object.fromEntries(outputs.entries()));
      expect(memory().numTensors).toBe(before);
    });
  }

  test("what TensorFlow refuses is an invalid argument", async () => {
    const run = runOp({ op: "InvertPermutation", inputs: [i32([2], 0, 0)], outputs: ["int32"] }, backend);
    await expect(run).rejects.toMatchObject({ code: "invalid-argument", message: expect.stringContaining("0, 0") });
  });

  test("TopKV2 without an order gives the largest in any", async () => {
    const node = { op: "TopKV2", attrs: { sorted: { b: false } }, inputs: [f32([5], 3, 9, 1, 7, 5), i32([], 3)] };
    const [values, indices] = await runOp({ ...node, outputs: ["float32", "int32"] }, backend);
    const pairs = Array.from(indices?.data as Int32Array, (place, at) => [place, values?.data[at]]);
    expect(new Map(pairs as [number, number][])).toEqual(
      new Map([
        [1, 9],
        [3, 7],
        [4, 5],
      ]),
    ); // whatever their order
  });

  test("Cast says of which node it can't make what no tensor holds", async () => {
    const node = { op: "Cast", attrs: { DstT: { type: "DT_UINT8" } }, inputs: [f32([1], 300)] };
    await expect(runOp({ ...node, outputs: ["int32"] }, backend)).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringMatching(/^node "node": op Cast: .*DT_UINT8/),
    });
  });

  test("bytes that are no tf.Example are an invalid argument, and so is one that lacks a required feature", async () => {
    const attrs = { Ndense: { i: "1" }, dense_shapes: { list: { shape: [{ dim: [{ size: "1" }] }] } } };
    const parse = (serialized: Tensor) =>
      runOp(
        { op: "ParseExample", attrs, inputs: [serialized, text([0]), text([], "y"), f32([0])], outputs: ["float32"] },
        backend,
      );
    await expect(parse(text([1], "\u0012\u0050"))).rejects.toMatchObject({ code: "invalid-argument" });
    await expect(parse(examples)).rejects.toThrow('feature "y" is required');
  });
});

test("every kernel has a test", () => {
  const tested = [...rows, ...goldenRows, ...complexRows, ...randomOps].map(({ op }) => op);
  expect(Object.keys({ ...commonKernels, ...kernels }).filter((op) => !tested.includes(op))).toEqual([]);
});
