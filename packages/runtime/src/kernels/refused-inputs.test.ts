import type { Tensor } from "@nearside/core";
import { backend as currentBackend, type DataTypeMap } from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type JsonAttrs, runOp } from "../../testing/run-op.ts";
import { openCpuBackend } from "../backends/cpu.ts";
import type { LoadedBackend } from "../backends/loaded-backend.ts";
import { openWasmBackend } from "../backends/wasm.ts";
import type { WasmBackend } from "../backends/wasm-memory.ts";

const f32 = (shape: readonly number[], ...values: number[]): Tensor => ({
  dtype: "float32",
  shape,
  data: Float32Array.from(
    { length: shape.reduce((size, length) => size * length, 1) },
    (_, at) => values[at] ?? at + 1,
  ),
});
const i32 = (shape: readonly number[], ...values: number[]): Tensor => ({
  dtype: "int32",
  shape,
  data: Int32Array.from(values),
});
const ints = (...list: number[]) => ({ list: { i: list.map(String) } });
const sliding = (padding: string, strides = ints(1, 1, 1, 1)) => ({
  padding: { s: padding },
  strides,
  dilations: ints(1, 1, 1, 1),
  data_format: { s: "NHWC" },
});
const biased = { fused_ops: { list: { s: ["BiasAdd"] } } };
const bilinear = { method: { s: "bilinear" } };
const nearest = { method: { s: "nearest" } };

interface Row {
  readonly op: string;
  readonly about: string;
  readonly attrs?: JsonAttrs;
  readonly inputs: readonly Tensor[];
  readonly outputs?: readonly Tensor["dtype"][];
  /** What the error says. */
  readonly says: string;
}

/** What TensorFlow refuses with InvalidArgument, or OutOfRange. */
const rows: readonly Row[] = [
  {
    op: "GatherNd",
    about: "beyond the end",
    inputs: [f32([2]), i32([2, 1], 1, 9)],
    says: "index 9, at 1 for axis 0, is outside [0, 2)",
  },
  { op: "GatherNd", about: "far beyond", inputs: [f32([2]), i32([1, 1], 2 ** 28)], says: "GatherNd" },
  { op: "GatherNd", about: "before the begin", inputs: [f32([2]), i32([1, 1], -1)], says: "index -1" },
  {
    op: "GatherNd",
    about: "beyond a row's end",
    inputs: [f32([2, 2]), i32([1, 2], 0, 3)],
    says: "index 3, at 0 for axis 1, is outside [0, 2)",
  },
  { op: "ScatterNd", about: "beyond the end", inputs: [i32([1, 1], 5), f32([1]), i32([1], 2)], says: "index 5" },
  { op: "ScatterNd", about: "before the begin", inputs: [i32([1, 1], -20), f32([1]), i32([1], 2)], says: "index -20" },
  {
    op: "ScatterNd",
    about: "beyond a row's end",
    inputs: [i32([1, 2], 0, 3), f32([1]), i32([2], 2, 2)],
    says: "index 3",
  },
  { op: "ScatterNd", about: "into nothing", inputs: [i32([1, 1], 0), f32([1]), i32([1], 0)], says: "outside [0, 0)" },
  { op: "TensorScatterUpdate", about: "beyond the end", inputs: [f32([2]), i32([1, 1], 5), f32([1])], says: "index 5" },
  {
    op: "TensorScatterAdd",
    about: "before the begin",
    inputs: [f32([2]), i32([1, 1], -20), f32([1])],
    says: "index -20",
  },
  { op: "TensorScatterSub", about: "beyond the end", inputs: [f32([2]), i32([1, 1], 5), f32([1])], says: "index 5" },
  {
    op: "SparseToDense",
    about: "beyond the end",
    inputs: [i32([1, 1], 5), i32([1], 2), f32([1]), f32([])],
    says: "index 5",
  },
  {
    op: "SparseToDense",
    about: "places of one axis before it",
    inputs: [i32([1], -5), i32([1], 2), f32([1]), f32([])],
    says: "index -5",
  },
  {
    op: "CropAndResize",
    about: "of no image",
    attrs: bilinear,
    inputs: [f32([1, 2, 2, 1]), f32([1, 4], 0, 0, 1, 1), i32([1], 5), i32([2], 2, 2)],
    says: "index 5",
  },
  {
    op: "CropAndResize",
    about: "of a box that isn't finite",
    attrs: nearest,
    inputs: [f32([1, 2, 2, 1]), f32([1, 4], Number.NaN, 0, 1, 1), i32([1], 0), i32([2], 2, 2)],
    says: "finite",
  },
  {
    op: "GatherV2",
    about: "in batches, beyond the end",
    attrs: { batch_dims: { i: "1" } },
    inputs: [f32([2, 2]), i32([2, 1], 0, 2), i32([], 1)],
    says: "2",
  },
  {
    op: "CropAndResize",
    about: "of no pixels",
    attrs: bilinear,
    inputs: [f32([1, 0, 2, 1]), f32([1, 4], 0, 0, 1, 1), i32([1], 0), i32([2], 2, 2)],
    says: "[1,0,2,1]",
  },
  {
    op: "Conv2D",
    about: "of no channels",
    attrs: sliding("SAME"),
    inputs: [f32([1, 4, 4, 0]), f32([2, 2, 0, 4])],
    says: "[1,4,4,0]",
  },
  { op: "Range", about: "in no steps", inputs: [f32([], 0), f32([], 3), f32([], 0)], says: "from 0 to 3, got 0" },
  {
    op: "Range",
    about: "away from its end",
    inputs: [f32([], 0), f32([], 3), f32([], -1)],
    says: "from 0 to 3, got -1",
  },
  { op: "Range", about: "in steps of NaN", inputs: [f32([], 0), f32([], 3), f32([], Number.NaN)], says: "got NaN" },
  { op: "Fill", about: "to a negative size", inputs: [i32([2], -1, -2), f32([])], says: "sizes from 0, got [-1,-2]" },
  { op: "MatMul", about: "of a vector", inputs: [f32([2]), f32([2, 2])], says: "[2] and [2,2]" },
  {
    op: "SparseSegmentSum",
    about: "of fewer ids than indices",
    inputs: [f32([2, 1]), i32([2], 0, 1), i32([1], 0)],
    says: "segment ids [n]",
  },
  {
    op: "SparseSegmentMean",
    about: "of more ids than indices",
    inputs: [f32([2, 1]), i32([1], 0), i32([2], 0, 9)],
    says: "segment ids [n]",
  },
  {
    op: "SparseConcat",
    about: "along an axis that there isn't",
    attrs: { concat_dim: { i: "3" }, N: { i: "2" } },
    inputs: [i32([1, 1], 0), i32([1, 1], 0), f32([1]), f32([1]), i32([1], 1), i32([1], 1)],
    outputs: ["int32", "float32", "int32"],
    says: "axis 3 is outside [-1, 1)",
  },
  {
    op: "ReduceJoin",
    about: "along an axis that there isn't",
    inputs: [{ dtype: "string", shape: [2], data: ["a", "b"] }, i32([1], 1)],
    outputs: ["string"],
    says: "axis 1 is outside [-1, 1)",
  },
  { op: "SegmentSum", about: "of a negative id", inputs: [f32([2]), i32([2], -1, 0)], says: "got -1" },
  { op: "SegmentMax", about: "of fewer ids", inputs: [f32([2]), i32([1], 0)], says: "op SegmentMax" },
  {
    op: "UnsortedSegmentSum",
    about: "of more ids than elements",
    inputs: [f32([2]), i32([3], 0, 1, 1), i32([], 2)],
    says: "for [2]",
  },
  {
    op: "SparseTensorDenseMatMul",
    about: "beyond the shape",
    inputs: [i32([1, 2], 2 ** 30, 0), f32([1]), i32([2], 2, 2), f32([2, 2])],
    says: "outside [2,2]",
  },
  {
    op: "SparseTensorDenseAdd",
    about: "beyond the shape",
    inputs: [i32([1, 2], 0, 2 ** 30), f32([1]), i32([2], 2, 2), f32([2, 2])],
    says: "outside [2,2]",
  },
  {
    op: "Bincount",
    about: "of a negative number",
    inputs: [i32([2], 1, -3), i32([], 2), f32([0])],
    says: "got -3 at 1",
  },
  {
    op: "DenseBincount",
    about: "of a negative number",
    inputs: [i32([1, 2], -3, 1), i32([], 2), f32([0])],
    says: "got -3 at 0",
  },
  {
    op: "NonMaxSuppressionV3",
    about: "of fewer scores than boxes",
    inputs: [f32([3, 4]), f32([1]), i32([], 3), f32([], 0.5), f32([], 0)],
    outputs: ["int32"],
    says: "a score for each",
  },
  {
    op: "OneHot",
    about: "along no axis",
    attrs: { axis: { i: "5" } },
    inputs: [i32([2], 0, 1), i32([], 2), f32([]), f32([], 0)],
    says: "axis 5",
  },
  {
    op: "Slice",
    about: "longer than the tensor",
    inputs: [f32([2]), i32([1], 0), i32([1], 9)],
    says: "9 from 0 on, along axis 0, is outside [0, 2)",
  },
  { op: "Slice", about: "behind the end", inputs: [f32([2]), i32([1], 5), i32([1], -1)], says: "-3 from 5" },
  { op: "Slice", about: "longer than a row", inputs: [f32([2, 2]), i32([2], 0, 1), i32([2], 2, 2)], says: "axis 1" },
  {
    op: "Slice",
    about: "of more axes than there are",
    inputs: [f32([2]), i32([2], 0, 0), i32([2], 2, 2)],
    says: "each axis",
  },
  {
    op: "StridedSlice",
    about: "of ends without begins",
    inputs: [f32([2, 2]), i32([1], 0), i32([2], 2, 2), i32([1], 2)],
    says: "1, 2 and 1",
  },
  { op: "Transpose", about: "of an axis that isn't there", inputs: [f32([2, 3]), i32([2], 0, 5)], says: "[0,5]" },
  { op: "Transpose", about: "of one axis twice", inputs: [f32([2, 3]), i32([2], 0, 0)], says: "[0,0]" },
  { op: "Transpose", about: "of fewer axes", inputs: [f32([2, 3]), i32([1], 0)], says: "[0]" },
  { op: "Tile", about: "a negative number of times", inputs: [f32([2]), i32([1], -1)], says: "[-1]" },
  { op: "Pad", about: "by less than nothing", inputs: [f32([8]), i32([1, 2], 0, -4)], says: "got [0,-4]" },
  { op: "PadV2", about: "of fewer axes", inputs: [f32([3, 3]), i32([1, 2], 1, 1), f32([])], says: "got [1,1]" },
  {
    op: "ResizeBilinear",
    about: "to two negative sizes",
    inputs: [f32([1, 2, 2, 1]), i32([2], -2, -2)],
    says: "[-2,-2]",
  },
  { op: "ResizeBilinear", about: "of no pixels", inputs: [f32([1, 0, 2, 1]), i32([2], 2, 2)], says: "[1,0,2,1]" },
  {
    op: "ResizeNearestNeighbor",
    about: "to a negative size",
    inputs: [f32([1, 2, 2, 1]), i32([2], -1, -2)],
    says: "[-1,-2]",
  },
  {
    op: "ResizeNearestNeighbor",
    about: "of no pixels",
    inputs: [f32([1, 0, 2, 1]), i32([2], 2, 2)],
    says: "[1,0,2,1]",
  },
  {
    op: "ImageProjectiveTransformV3",
    about: "to a negative size",
    attrs: { interpolation: { s: "NEAREST" } },
    inputs: [f32([1, 2, 2, 1]), f32([1, 8]), i32([2], -2, -2), f32([])],
    says: "-2 × -2",
  },
  {
    op: "ImageProjectiveTransformV3",
    about: "by fewer transforms than images",
    attrs: { interpolation: { s: "NEAREST" } },
    inputs: [f32([3, 2, 2, 1]), f32([2, 8]), i32([2], 2, 2), f32([])],
    says: "[2,8]",
  },
  { op: "Cumsum", about: "along no axis", inputs: [f32([2, 2]), i32([], -7)], says: "axis -7" },
  { op: "Cumprod", about: "of a scalar", inputs: [f32([]), i32([], 0)], says: "axis 0" },
  { op: "ArgMax", about: "along no axis", inputs: [f32([2, 2]), i32([], 5)], outputs: ["int32"], says: "axis 5" },
  { op: "ArgMin", about: "of nothing", inputs: [f32([2, 0]), i32([], 1)], outputs: ["int32"], says: "[2,0]" },
  { op: "Prod", about: "along no axis", inputs: [f32([2, 2]), i32([1], 5)], says: "axis 5" },
  { op: "Roll", about: "along no axis", inputs: [f32([2, 2]), i32([], 1), i32([], 7)], says: "axis 7" },
  {
    op: "ReverseSequence",
    about: "of more than there is",
    attrs: { seq_dim: { i: "1" } },
    inputs: [f32([2, 2]), i32([2], 9, 1)],
    says: "got [9,1]",
  },
  { op: "Softmax", about: "of a scalar", inputs: [f32([])], says: "scalar" },
  { op: "AddN", about: "of two shapes", inputs: [f32([4]), f32([2])], says: "[4] and [2]" },
  { op: "Complex", about: "of two shapes", inputs: [f32([4]), f32([2])], outputs: ["complex64"], says: "[4] and [2]" },
  { op: "Prelu", about: "of more slopes than numbers", inputs: [f32([2]), f32([2, 2])], says: "got [2,2]" },
  {
    op: "FusedBatchNormV3",
    about: "of fewer channels",
    inputs: [f32([1, 2, 2, 4]), f32([2]), f32([2]), f32([2]), f32([2])],
    says: "channels",
  },
  {
    op: "_FusedMatMul",
    about: "of a short bias",
    attrs: biased,
    inputs: [f32([2, 4]), f32([4, 8]), f32([2])],
    says: "8 channels, got [2]",
  },
  {
    op: "_FusedConv2D",
    about: "of a short bias",
    attrs: { ...sliding("SAME"), ...biased },
    inputs: [f32([1, 4, 4, 4]), f32([1, 1, 4, 8]), f32([2])],
    says: "8 channels, got [2]",
  },
  {
    op: "Conv2D",
    about: "of a filter far larger than the image",
    attrs: sliding("VALID"),
    inputs: [f32([1, 2, 2, 2]), f32([9, 9, 2, 2])],
    says: "[1,-6,-6,2]",
  },
  {
    op: "Conv2D",
    about: "of a filter of nothing",
    attrs: sliding("VALID"),
    inputs: [f32([1, 2, 2, 2]), f32([0, 0, 2, 2])],
    says: "0 × 0",
  },
  {
    op: "MaxPool",
    about: "of a window far larger than the image",
    attrs: { ...sliding("VALID"), ksize: ints(1, 9, 9, 1) },
    inputs: [f32([1, 2, 2, 1])],
    says: "[1,-6,-6,1]",
  },
  {
    op: "MaxPool",
    about: "in no steps",
    attrs: { ...sliding("VALID", ints(1, 0, 1, 1)), ksize: ints(1, 1, 1, 1) },
    inputs: [f32([1, 2, 2, 1])],
    says: "strides 0 × 1",
  },
  {
    op: "Conv2D",
    about: "dilated to nothing",
    attrs: { ...sliding("VALID"), dilations: ints(1, 1, 0, 1) },
    inputs: [f32([1, 2, 2, 4]), f32([1, 1, 4, 4])],
    says: "dilations 1 × 0",
  },
  {
    op: "AvgPool",
    about: "of what isn't images",
    attrs: { ...sliding("VALID"), ksize: ints(1, 1, 1, 1) },
    inputs: [f32([2, 2, 1])],
    says: "[2,2,1]",
  },
  {
    op: "Conv2DBackpropInput",
    about: "to a shape of which something else comes",
    attrs: sliding("SAME", ints(1, 2, 2, 1)),
    inputs: [i32([4], 1, 40, 40, 4), f32([2, 2, 4, 4]), f32([1, 4, 4, 4])],
    says: "[1,40,40,4]",
  },
  {
    op: "Conv2DBackpropInput",
    about: "to other channels than the filter's",
    attrs: sliding("SAME", ints(1, 2, 2, 1)),
    inputs: [i32([4], 1, 8, 8, 9), f32([2, 2, 4, 4]), f32([1, 4, 4, 4])],
    says: "[1,8,8,9]",
  },
];

/** Small tensors with gaps between them, where others come to lie; each holds 31337. */
class Neighbours {
  readonly #backend = currentBackend() as unknown as Omit<WasmBackend, "readSync"> & {
    write(values: Int32Array, shape: number[], dtype: keyof DataTypeMap): object;
    readSync(dataId: object): Int32Array;
  };
  readonly #held: readonly object[];

  constructor() {
    const value = new Int32Array(16).fill(31337);
    const all = Array.from({ length: 200 }, () => this.#backend.write(value, [16], "int32"));
    for (const [at, dataId] of all.entries()) if (at % 2 === 1) this.#backend.disposeData(dataId);
    this.#held = all.filter((_, at) => at % 2 === 0);
  }

  areWhole(): boolean {
    return this.#held.every((dataId) => this.#backend.readSync(dataId).every((value) => value === 31337));
  }

  [Symbol.dispose](): void {
    for (const dataId of this.#held) this.#backend.disposeData(dataId);
  }
}

describe.each([
  ["cpu", openCpuBackend],
  ["wasm", openWasmBackend],
] as const)("on %s what TensorFlow refuses is refused:", (name, open) => {
  let backend: LoadedBackend;
  beforeAll(async () => {
    backend = await open();
  });
  afterAll(() => backend.close());

  test.each(rows)("$op $about", async ({ op, attrs, inputs, outputs = ["float32"], says }) => {
    using neighbours = new Neighbours();
    await expect(runOp({ op, ...(attrs && { attrs }), inputs, outputs }, backend)).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining(says),
    });
    expect(neighbours.areWhole()).toBe(true);
  });

  test("Dilation2D of a filter far larger than the image", async () => {
    const attrs = { ...sliding("VALID"), rates: ints(1, 1, 1, 1) };
    const node = {
      op: "Dilation2D",
      attrs,
      inputs: [f32([1, 2, 2, 1]), f32([9, 9, 1])],
      outputs: ["float32"],
    } as const;
    const refusal = { code: "invalid-argument", message: expect.stringContaining("got [1,-6,-6,1]") };
    const missing = { code: "no-backend", message: expect.stringContaining("Dilation2D") }; // wasm has no such kernel
    await expect(runOp(node, backend)).rejects.toMatchObject(name === "wasm" ? missing : refusal);
  });

  const computed: readonly (readonly [string, string, JsonAttrs, readonly Tensor[], readonly number[]])[] = [
    [
      "GatherV2",
      "in batches of numbers",
      { batch_dims: { i: "1" } },
      [f32([2, 2]), i32([2, 1], 0, 1), i32([], 1)],
      [1, 4],
    ],
    [
      "GatherV2",
      "in batches of two axes",
      { batch_dims: { i: "2" } },
      [f32([2, 1, 3]), i32([2, 1, 2], 0, 1, 2, 2), i32([], 2)],
      [1, 2, 6, 6],
    ],
    ["Sum", "of nothing", {}, [f32([2, 0]), i32([1], 1)], [0, 0]],
    ["Max", "of nothing", {}, [f32([2, 0]), i32([1], -1)], [-Infinity, -Infinity]],
    ["Max", "of no integers", {}, [i32([1, 0]), i32([1], 1)], [-(2 ** 31)]],
    ["Mean", "of nothing", {}, [f32([1, 0]), i32([1], 1)], [Number.NaN]],
    ["MatMul", "of nothing", {}, [f32([2, 0]), f32([0, 2])], [0, 0, 0, 0]],
    ["TopKV2", "of nothing", {}, [f32([2, 0]), i32([], 0)], []],
    ["Bincount", "of rows", {}, [i32([2, 2], 1, 1, 0, 1), i32([], 2), f32([0])], [1, 3]],
  ];

  test.each(computed)(
    "%s %s is what it is in TensorFlow, not what was in memory",
    async (op, _about, attrs, inputs, expected) => {
      using _neighbours = new Neighbours();
      const [output] = await runOp({ op, attrs, inputs, outputs: ["float32"] }, backend);
      expect(Array.from(output?.data as Float32Array)).toEqual(expected);
    },
  );

  const larger: readonly (readonly [string, JsonAttrs, readonly Tensor[]])[] = [
    ["Conv2D", sliding("VALID"), [f32([1, 2, 2, 4]), f32([3, 3, 4, 4])]],
    ["DepthwiseConv2dNative", sliding("VALID"), [f32([1, 2, 2, 4]), f32([3, 3, 4, 1])]],
    ["MaxPool", { ...sliding("VALID"), ksize: ints(1, 3, 3, 1) }, [f32([1, 2, 2, 4])]],
    ["AvgPool", { ...sliding("VALID"), ksize: ints(1, 3, 3, 1) }, [f32([1, 2, 2, 4])]],
    ["MaxPool", { ...sliding("SAME"), ksize: ints(1, 3, 3, 1) }, [f32([1, 0, 0, 4])]],
  ];

  test.each(larger)("%s of a window that is one larger than the image has no pixels", async (op, attrs, inputs) => {
    const [output] = await runOp({ op, attrs, inputs, outputs: ["float32"] }, backend);
    expect(output?.shape).toEqual([1, 0, 0, 4]);
  });
});
