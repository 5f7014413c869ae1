import type { Tensor } from "@nearside/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { noDawn, openDawn } from "../../testing/open-dawn.ts";
import { type JsonAttrs, runOp } from "../../testing/run-op.ts";
import { openCpuBackend } from "../backends/cpu.ts";
import type { LoadedBackend } from "../backends/loaded-backend.ts";
import { openWasmBackend } from "../backends/wasm.ts";
import { openWebgpuBackend } from "../backends/webgpu.ts";

const sizeOf = (shape: readonly number[]) => shape.reduce((size, length) => size * length, 1);
const f32 = (...shape: number[]): Tensor => ({ dtype: "float32", shape, data: new Float32Array(sizeOf(shape)) });
const bool = (...shape: number[]): Tensor => ({ dtype: "bool", shape, data: new Uint8Array(sizeOf(shape)) });
const i32 = (...values: number[]): Tensor => ({
  dtype: "int32",
  shape: [values.length],
  data: Int32Array.from(values),
});
const number = (value: number): Tensor => ({ dtype: "int32", shape: [], data: Int32Array.of(value) });
const int = (value: number) => ({ i: String(value) });

interface Row {
  readonly op: string;
  readonly about: string;
  readonly inputs: readonly Tensor[];
  readonly attrs?: JsonAttrs;
  /** How many outputs, where it isn't one. */
  readonly outputs?: number;
  /** What the error says. */
  readonly says: string;
}

const isBool = new Set(["Greater", "LogicalAnd"]);

/** Shapes and axes that TensorFlow refuses with InvalidArgument, whatever the numbers are. */
const rows: readonly Row[] = [
  { op: "AddV2", about: "shapes that differ", inputs: [f32(2), f32(3)], says: "got [2] and [3]" },
  { op: "Mul", about: "one of two axes", inputs: [f32(2, 3), f32(2, 2)], says: "got [2,3] and [2,2]" },
  { op: "RealDiv", about: "shapes that differ", inputs: [f32(2), f32(3)], says: "got [2] and [3]" },
  { op: "Greater", about: "shapes that differ", inputs: [f32(2), f32(3)], says: "got [2] and [3]" },
  { op: "LogicalAnd", about: "shapes that differ", inputs: [bool(2), bool(3)], says: "got [2] and [3]" },
  { op: "BiasAdd", about: "another length", inputs: [f32(2, 3), f32(2)], says: "got [2,3] and [2]" },
  { op: "Xdivy", about: "shapes that differ", inputs: [f32(2), f32(3)], says: "got [2] and [3]" },
  { op: "Igamma", about: "shapes that differ", inputs: [f32(2), f32(3)], says: "got [2] and [3]" },
  { op: "SelectV2", about: "a condition", inputs: [bool(2), f32(3), f32(3)], says: "got [2] and [3] and [3]" },
  { op: "Select", about: "a condition", inputs: [bool(2), f32(3), f32(3)], says: "got [2] and [3] and [3]" },
  { op: "BroadcastTo", about: "a shape", inputs: [f32(2, 3), i32(2, 4)], says: "got [2,3] and [2,4]" },
  { op: "BroadcastTo", about: "a shorter shape", inputs: [f32(2, 3), i32(3)], says: "that [2,3] can be broadcast to" },
  { op: "DivNoNan", about: "shapes that differ", inputs: [f32(2), f32(3)], says: "got [2] and [3]" },
  { op: "FloorDiv", about: "shapes that differ", inputs: [f32(2), f32(3)], says: "got [2] and [3]" },
  { op: "ClipByValue", about: "another length", inputs: [f32(2), f32(3), f32(3)], says: "a bound of [2], got [3]" },
  { op: "Fill", about: "several values", inputs: [i32(2), f32(2)], says: "expected a scalar, got [2]" },
  { op: "Reshape", about: "another size", inputs: [f32(6), i32(4, 2)], says: "the 6 elements of [6], got [4,2]" },
  { op: "Reshape", about: "a size that is left over", inputs: [f32(6), i32(-1, 4)], says: "got [-1,4]" },
  { op: "Reshape", about: "two unknown sizes", inputs: [f32(6), i32(-1, -1)], says: "got [-1,-1]" },
  { op: "Reshape", about: "negative sizes", inputs: [f32(6), i32(-2, -3)], says: "got [-2,-3]" },
  { op: "ExpandDims", about: "an axis beyond the end", inputs: [f32(2), number(2)], says: "no axis 2 to add to [2]" },
  { op: "ExpandDims", about: "one before the begin", inputs: [f32(2), number(-3)], says: "no axis -3 to add" },
  {
    op: "Squeeze",
    about: "a longer axis",
    attrs: { squeeze_dims: { list: { i: ["0"] } } },
    inputs: [f32(2)],
    says: "axis 0",
  },
  {
    op: "Squeeze",
    about: "an axis beyond the end",
    attrs: { squeeze_dims: { list: { i: ["1"] } } },
    inputs: [f32(1)],
    says: "axis 1",
  },
  { op: "ConcatV2", about: "another size", inputs: [f32(2, 2), f32(2, 3), number(0)], says: "got [2,2] and [2,3]" },
  { op: "ConcatV2", about: "another rank", inputs: [f32(2, 2), f32(2), number(0)], says: "got [2,2] and [2]" },
  { op: "ConcatV2", about: "an axis", inputs: [f32(2, 2), f32(2, 2), number(2)], says: "axis 2 is outside [-2, 2)" },
  {
    op: "Split",
    about: "uneven parts",
    inputs: [number(0), f32(5)],
    attrs: { num_split: int(2) },
    outputs: 2,
    says: "2",
  },
  {
    op: "Split",
    about: "an axis",
    inputs: [number(1), f32(4)],
    attrs: { num_split: int(2) },
    outputs: 2,
    says: "axis 1",
  },
  {
    op: "SplitV",
    about: "parts of another sum",
    inputs: [f32(5), i32(2, 2), number(0)],
    attrs: { num_split: int(2) },
    outputs: 2,
    says: "[5] has no such parts along axis 0: 2,2",
  },
  {
    op: "SplitV",
    about: "two unknown parts",
    inputs: [f32(5), i32(-1, -1), number(0)],
    attrs: { num_split: int(2) },
    outputs: 2,
    says: "-1,-1",
  },
  { op: "Pack", about: "another size", inputs: [f32(2), f32(3)], says: "got [2] and [3]" },
  {
    op: "Pack",
    about: "an axis",
    inputs: [f32(2), f32(2)],
    attrs: { axis: int(3) },
    says: "axis 3 is outside [-2, 2)",
  },
  {
    op: "Unpack",
    about: "an axis",
    inputs: [f32(2)],
    attrs: { axis: int(3), num: int(2) },
    outputs: 2,
    says: "axis 3",
  },
  { op: "Unpack", about: "another count", inputs: [f32(3)], attrs: { num: int(2) }, outputs: 2, says: "expected 2" },
  { op: "MatMul", about: "inner sizes", inputs: [f32(2, 3), f32(4, 2)], says: "got [2,3] and [4,2]" },
  { op: "MatMul", about: "a vector", inputs: [f32(2), f32(2, 2)], says: "got [2] and [2,2]" },
  { op: "BatchMatMulV2", about: "inner sizes", inputs: [f32(2, 2, 3), f32(2, 4, 2)], says: "got [2,2,3] and [2,4,2]" },
  { op: "BatchMatMulV2", about: "batches", inputs: [f32(2, 2, 3), f32(3, 3, 2)], says: "got [2] and [3]" },
  {
    op: "Einsum",
    about: "a letter of two sizes",
    inputs: [f32(2, 3), f32(4, 2)],
    attrs: { equation: { s: "ij,jk->ik" } },
    says: "expected sizes as in ij,jk->ik, got [4,2] for jk",
  },
  { op: "Sum", about: "an axis", inputs: [f32(2, 3), i32(2)], says: "axis 2 is outside [-2, 2)" },
  { op: "Max", about: "an axis before the begin", inputs: [f32(2, 3), i32(-3)], says: "axis -3 is outside" },
  { op: "ReverseV2", about: "an axis", inputs: [f32(2, 3), i32(2)], says: "axis 2 is outside" },
  { op: "GatherV2", about: "an axis", inputs: [f32(2, 3), i32(0), number(2)], says: "axis 2 is outside" },
  {
    op: "GatherV2",
    about: "batches that differ",
    attrs: { batch_dims: int(1) },
    inputs: [f32(2, 3), { dtype: "int32", shape: [3, 1], data: new Int32Array(3) }, number(1)],
    says: "got [2,3] and [3,1]",
  },
  {
    op: "GatherV2",
    about: "more axes of batches than come before the one along which it gathers",
    attrs: { batch_dims: int(1) },
    inputs: [f32(2, 3), { dtype: "int32", shape: [2, 1], data: new Int32Array(2) }, number(0)],
    says: "1 axes of batches",
  },
  { op: "StridedSlice", about: "a stride of 0", inputs: [f32(3), i32(0), i32(2), i32(0)], says: "other than 0" },
  {
    op: "SpaceToBatchND",
    about: "negative paddings",
    inputs: [f32(1, 4, 4, 1), i32(2, 2), { dtype: "int32", shape: [2, 2], data: Int32Array.of(-2, 0, 0, 0) }],
    says: "paddings from 0, got [-2,0,0,0]",
  },
];

const gpu = await openDawn();

describe.each([
  ["cpu", openCpuBackend],
  ["wasm", openWasmBackend],
  ["webgpu", () => openWebgpuBackend({ gpu })],
] as const)("%s refuses of", (name, open) => {
  let backend: LoadedBackend | undefined;
  beforeAll(async () => {
    if (name !== "webgpu" || gpu) backend = await open();
  });
  afterAll(() => backend?.close());

  test.for(rows)("$op $about", async ({ op, attrs, inputs, outputs = 1, says }, { skip }) => {
    if (!backend) return skip(noDawn);
    const dtypes = Array.from({ length: outputs }, () => (isBool.has(op) ? "bool" : "float32") as Tensor["dtype"]);
    await expect(runOp({ op, ...(attrs && { attrs }), inputs, outputs: dtypes }, backend)).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining(says),
    });
  });
});
