import type { Tensor } from "@nearside/core";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, expect, test } from "vitest";
import { runOp } from "../../testing/run-op.ts";
import { openCpuBackend } from "../backends/cpu.ts";
import type { LoadedBackend } from "../backends/loaded-backend.ts";
import { openWasmBackend } from "../backends/wasm.ts";

// What TensorFlow.js 4.22 gets wrong itself. Where such a test fails after an update, our kernel is no longer needed.

const opened: LoadedBackend[] = [];
afterEach(async () => {
  for (const backend of opened.splice(0)) await backend.close();
});
const open = async (backend: Promise<LoadedBackend>) => {
  opened.push(await backend);
  return backend;
};

test("TensorFlow.js on cpu multiplies complex tensors wrongly where one is broadcast", async () => {
  await open(openCpuBackend());
  const left = tf.complex(
    [
      [1, 3],
      [5, 7],
    ],
    [
      [2, 4],
      [6, 8],
    ],
  );
  const product = tf.mul(left, tf.complex([0, 2], [1, 0]));
  expect(Array.from(product.dataSync()).some(Number.isNaN)).toBe(true);
});

test.each([
  ["cpu", openCpuBackend],
  ["wasm", openWasmBackend],
] as const)(
  "complex tensors are added, subtracted and multiplied on %s, broadcast, too",
  async (_name, openBackend) => {
    const backend = await open(openBackend());
    const left: Tensor = { dtype: "complex64", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) };
    const right: Tensor = { dtype: "complex64", shape: [2], data: Float32Array.of(0, 1, 2, 0) };
    const of = async (op: string) => {
      const [result] = await runOp({ op, inputs: [left, right], outputs: ["complex64"] }, backend);
      return Array.from(result?.data as Float32Array);
    };
    expect(await of("AddV2")).toEqual([1, 3, 5, 4, 5, 7, 9, 8]);
    expect(await of("Sub")).toEqual([1, 1, 1, 4, 5, 5, 5, 8]);
    expect(await of("Mul")).toEqual([-2, 1, 6, 8, -6, 5, 14, 16]);
  },
);

/** The matrix [[1, 2], [3, 4]] with a bias and an activation, by one op on wasm. */
async function runFused(biasShape: readonly number[], bias: readonly number[], activation: string) {
  const tensor = (shape: readonly number[], data: readonly number[]): Tensor => ({
    dtype: "float32",
    shape,
    data: Float32Array.from(data),
  });
  const inputs = [tensor([2, 2], [1, 2, 3, 4]), tensor([2, 2], [1, 0, 0, 1]), tensor(biasShape, bias)];
  const attrs = { fused_ops: { list: { s: ["BiasAdd", activation] } } };
  const node = { op: "_FusedMatMul", attrs, inputs, outputs: ["float32"] } as const;
  const [product] = await runOp(node, await open(openWasmBackend()));
  return Array.from(product?.data as Float32Array);
}

test("a fused product on wasm takes a whole matrix as its bias", async () => {
  expect(await runFused([2, 2], [-2, 1, 1, -9], "Relu")).toEqual([0, 3, 4, 0]);
  expect(await runFused([2, 1], [-2, 1], "Relu")).toEqual([0, 0, 4, 5]);
  expect(await runFused([1, 2], [-2, 1], "Relu")).toEqual([0, 3, 1, 5]);
});

/** The column 1, 2, 3, 4 beside itself four times, and a bias, by one op on this backend. */
async function runColumns(backend: LoadedBackend, biasShape: readonly number[], bias: readonly number[]) {
  const inputs = [
    { dtype: "float32", shape: [4, 1], data: Float32Array.of(1, 2, 3, 4) },
    { dtype: "float32", shape: [1, 4], data: Float32Array.of(1, 1, 1, 1) },
    { dtype: "float32", shape: biasShape, data: Float32Array.from(bias) },
  ] as const;
  const attrs = { fused_ops: { list: { s: ["BiasAdd"] } } };
  const [product] = await runOp({ op: "_FusedMatMul", attrs, inputs, outputs: ["float32"] }, backend);
  return Array.from(product?.data as Float32Array);
}

test("a fused product on wasm takes a row as its bias, for which it needs no other kernel", async () => {
  const backend = await open(openWasmBackend());
  const add = tf.getKernel("Add", "wasm");
  tf.unregisterKernel("Add", "wasm");
  try {
    const sums = [11, 21, 31, 41, 12, 22, 32, 42, 13, 23, 33, 43, 14, 24, 34, 44];
    expect(await runColumns(backend, [1, 4], [10, 20, 30, 40])).toEqual(sums);
  } finally {
    tf.registerKernel(add);
  }
});

test("a fused product on wasm takes a column as its bias that is as long as a row", async () => {
  const sums = [11, 11, 11, 11, 22, 22, 22, 22, 33, 33, 33, 33, 44, 44, 44, 44];
  expect(await runColumns(await open(openWasmBackend()), [4, 1], [10, 20, 30, 40])).toEqual(sums);
});

test("a fused product on wasm refuses an activation that it doesn't know, whatever the bias", async () => {
  await expect(runFused([2, 2], [-2, 1, 1, -9], "GeluExact")).rejects.toThrow();
});

test("slopes of each row, which TensorFlow.js on wasm takes for those of columns, are of the row", async () => {
  const inputs: Tensor[] = [
    { dtype: "float32", shape: [2, 2], data: Float32Array.of(-1, -2, -3, 4) },
    { dtype: "float32", shape: [2, 1], data: Float32Array.of(1, 2) },
  ];
  const [out] = await runOp({ op: "Prelu", inputs, outputs: ["float32"] }, await open(openWasmBackend()));
  expect(Array.from(out?.data as Float32Array)).toEqual([-1, -2, -6, 4]);
});

test("TensorFlow.js has no ellipsis in Einsum", async () => {
  await open(openCpuBackend());
  expect(() => tf.einsum("...ij->...ji", tf.ones([2, 2]))).toThrow();
});

test("TensorFlow.js on cpu writes TensorScatterUpdate's updates into its input", async () => {
  await open(openCpuBackend());
  const input = tf.tensor1d([1, 2]);
  tf.tensorScatterUpdate(input, tf.tensor2d([[0]], [1, 1], "int32"), tf.tensor1d([9]));
  expect(Array.from(input.dataSync())).toEqual([9, 2]);
});

test("TensorFlow.js broadcasts to one row where there should be none", async () => {
  await open(openCpuBackend());
  expect(tf.broadcastTo(tf.ones([1, 2]), [0, 2]).shape).toEqual([1, 2]);
});

test("TensorFlow.js on wasm writes integers into a OneHot of floats", async () => {
  await open(openWasmBackend());
  const hot = tf.oneHot(tf.tensor1d([0], "int32"), 2, 1, 0, "float32");
  expect(Array.from(hot.dataSync())).not.toEqual([1, 0]);
});

test("TensorFlow.js on cpu warps the first image of several", async () => {
  await open(openCpuBackend());
  const warped = tf.image.transform(tf.ones([2, 1, 1, 1]), tf.tensor2d([[1, 0, 0, 0, 1, 0, 0, 0]]));
  expect(Array.from(warped.dataSync())).toEqual([1, 0]);
});

test("TensorFlow.js drops a box that overlaps a better one by no more than the threshold", async () => {
  await open(openCpuBackend());
  const halves = tf.tensor2d([
    [0, 0, 2, 2],
    [0, 0, 2, 1],
  ]);
  const kept = await tf.image.nonMaxSuppressionAsync(halves, tf.tensor1d([2, 1]), 2, 0.5);
  expect(Array.from(kept.dataSync())).toEqual([0]);
});

test("TensorFlow.js draws 0 where all should be -1", async () => {
  await open(openCpuBackend());
  expect(tf.randomUniformInt([1000], -1, 0).dataSync()).toContain(0);
});

test("TensorFlow.js takes the depth of floats only to space, and no empty rows to search", async () => {
  await open(openCpuBackend());
  expect(() => tf.depthToSpace(tf.ones([1, 1, 1, 4], "int32"), 2)).toThrow("float32");
  expect(() => tf.lowerBound(tf.ones([1, 2]), tf.ones([1, 0]))).toThrow();
});
