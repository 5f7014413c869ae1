import type { Tensor } from "@nearside/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runOp } from "../../testing/run-op.ts";
import { openCpuBackend } from "../backends/cpu.ts";
import type { LoadedBackend } from "../backends/loaded-backend.ts";

let backend: LoadedBackend;
beforeAll(async () => {
  backend = await openCpuBackend();
});
afterAll(() => backend.close());

/** Of ones, of so many along each axis. */
const ones = (...shape: number[]): Tensor => ({
  dtype: "float32",
  shape,
  data: new Float32Array(shape.reduce((size, length) => size * length, 1)).fill(1),
});
const channels = [ones(2), ones(2), ones(2), ones(2)];
const biased = { fused_ops: { list: { s: ["BiasAdd"] } } };

// TensorFlow.js takes each for the same with channels last; the sizes here are such that nothing else is wrong.
test.each([
  ["AvgPool", "NCHW", [ones(1, 2, 2, 2)], {}],
  ["MaxPool", "NCHW", [ones(1, 2, 2, 2)], {}],
  ["MaxPoolWithArgmax", "NCHW", [ones(1, 2, 2, 2)], {}],
  ["FusedBatchNormV3", "NCHW", [ones(1, 2, 2, 2), ...channels], {}],
  ["BiasAdd", "NCHW", [ones(1, 2, 2, 2), ones(2)], {}],
  ["_FusedConv2D", "NCHW", [ones(1, 2, 2, 2), ones(1, 1, 2, 2), ones(2)], biased],
  ["FusedDepthwiseConv2dNative", "NCHW", [ones(1, 2, 2, 2), ones(1, 1, 2, 1), ones(2)], biased],
  ["Conv3D", "NCDHW", [ones(1, 1, 1, 1, 1), ones(1, 1, 1, 1, 1)], {}],
  ["AvgPool3D", "NCDHW", [ones(1, 1, 1, 1, 1)], {}],
  ["MaxPool3D", "NCDHW", [ones(1, 1, 1, 1, 1)], {}],
] as const)("%s refuses %s, which no kernel takes", async (op, format, inputs, attrs) => {
  const run = runOp({ op, attrs: { ...attrs, data_format: { s: format } }, inputs, outputs: ["float32"] }, backend);
  await expect(run).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringMatching(`^node "node": op ${op}: .*got ${format}`),
  });
});
