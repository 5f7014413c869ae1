import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { type Tensor, type Tensors, tensorflowNames } from "@nearside/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type HarnessPage, openHarness } from "./harness-page.ts";
import { fromPlainTensors, toPlainTensors } from "./plain-tensors.ts";

const text = (value: string) => ({ s: btoa(value) });
const ints = (...list: number[]) => ({ list: { i: list.map(String) } });
const sliding = (padding: string, stride: number) => ({
  padding: text(padding),
  strides: ints(1, stride, stride, 1),
  dilations: ints(1, 1, 1, 1),
  data_format: text("NHWC"),
});
const fused = (activation: string) => ({ fused_ops: { list: { s: [btoa("BiasAdd"), btoa(activation)] } } });

/** A network of every kernel of ours: each node is computed of the one before, and of an input of its own. */
const nodes = [
  {
    name: "stem",
    op: "_FusedConv2D",
    input: ["x", "stemFilter", "stemBias"],
    attr: { ...sliding("SAME", 2), ...fused("Relu6") },
  },
  {
    name: "first",
    op: "FusedDepthwiseConv2dNative",
    input: ["stem", "firstFilter", "stemBias"],
    attr: { ...sliding("SAME", 1), ...fused("Relu") },
  },
  {
    name: "second",
    op: "FusedDepthwiseConv2dNative",
    input: ["first", "secondFilter", "stemBias"],
    attr: { ...sliding("SAME", 2), ...fused("Relu6") },
  },
  {
    name: "third",
    op: "FusedDepthwiseConv2dNative",
    input: ["second", "thirdFilter", "stemBias"],
    attr: { ...sliding("SAME", 1), ...fused("Relu6") },
  },
  { name: "point", op: "Conv2D", input: ["third", "pointFilter"], attr: sliding("VALID", 1) },
  { name: "joined", op: "ConcatV2", input: ["third", "point", "axis"], attr: {} },
  {
    name: "grown",
    op: "Conv2DBackpropInput",
    input: ["grownShape", "grownFilter", "joined"],
    attr: sliding("SAME", 2),
  },
  { name: "rows", op: "Reshape", input: ["grown", "rowsShape"], attr: {} },
  { name: "y", op: "BatchMatMulV2", input: ["rows", "rowsFilter"], attr: {} },
];

const inputs: Tensors = {
  x: numbers([2, 37, 61, 3]),
  stemFilter: numbers([3, 3, 3, 11]),
  stemBias: numbers([11]),
  firstFilter: numbers([3, 3, 11, 1]),
  secondFilter: numbers([3, 3, 11, 1]),
  thirdFilter: numbers([5, 5, 11, 1]),
  pointFilter: numbers([1, 1, 11, 21]),
  axis: integers(3),
  grownShape: integers(2, 20, 32, 7),
  grownFilter: numbers([3, 3, 7, 32]),
  rowsShape: integers(2, 640, 7),
  rowsFilter: numbers([2, 7, 5]),
};

let folder: string;
let harness: HarnessPage;
let isolated: HarnessPage;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-"));
  await writeFile(join(folder, "model.json"), JSON.stringify(graphModel()));
  harness = await openHarness(folder, { webgpu: false });
  isolated = await openHarness(folder, { webgpu: false, isIsolated: true });
});
afterAll(async () => {
  await harness?.[Symbol.asyncDispose]();
  await isolated?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test("our wasm kernels compute in a browser, which has relaxed SIMD, what the cpu does", async () => {
  const [got, want] = [await run(harness, "wasm"), await run(harness, "cpu")];
  const largest = Math.max(...want.map(Math.abs));
  const errors = want.map((value, index) => Math.abs((got[index] ?? Number.NaN) - value) / largest);
  expect(largest).toBeGreaterThan(1);
  expect(errors.filter((error) => !(error < 1e-5))).toHaveLength(0);
});

test("they compute the same in several threads, which a page has that is cross-origin isolated", async () => {
  expect(await run(isolated, "wasm")).toEqual(await run(harness, "wasm"));
  const threadFiles = ({ files }: HarnessPage) => files.requests.filter((path) => path.includes("wasm-thread"));
  expect(threadFiles(isolated).length > 0).toBe(cpus().length > 1);
  expect(threadFiles(harness)).toEqual([]);
});

test("a page that is isolated and may not fetch blobs computes the same", async () => {
  await using strict = await openHarness(folder, { webgpu: false, isIsolated: true, policy: "connect-src 'self'" });
  expect(await run(strict, "wasm")).toEqual(await run(harness, "wasm"));
});

async function run({ page }: HarnessPage, backend: "wasm" | "cpu"): Promise<Float32Array> {
  const outcome = await page.evaluate(
    ([backend, inputs]) =>
      globalThis.harness.openAndRun({ open: "/models/model.json", options: { backend, warmUp: false } }, inputs),
    [backend, toPlainTensors(inputs)] as const,
  );
  if ("error" in outcome) throw new Error(outcome.error.message);
  return fromPlainTensors(outcome.value.outputs).y?.data as Float32Array; // as the model says
}

function graphModel() {
  const info = (name: string, dtype: string, shape?: readonly number[]) => ({
    name: `${name}:0`,
    dtype,
    tensorShape: shape ? { dim: shape.map((size) => ({ size: `${size}` })) } : { unknownRank: true },
  });
  const placeholders = Object.entries(inputs).map(([name, { dtype, shape }]) => ({
    name,
    op: "Placeholder",
    attr: { dtype: { type: tensorflowNames[dtype] }, shape: { shape: info(name, dtype, shape).tensorShape } },
  }));
  const ports = Object.entries(inputs).map(([name, { dtype, shape }]) => [
    name,
    info(name, tensorflowNames[dtype], shape),
  ]);
  return {
    format: "graph-model",
    signature: { inputs: Object.fromEntries(ports), outputs: { y: info("y", "DT_FLOAT") } },
    modelTopology: { node: [...placeholders, ...nodes], versions: {} },
    weightsManifest: [],
  };
}

/** Numbers from −1 to 1. */
function numbers(shape: readonly number[]): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return { dtype: "float32", shape, data: Float32Array.from({ length: count }, (_, index) => Math.sin(index * 7.3)) };
}

function integers(...values: readonly number[]): Tensor {
  const shape = values.length === 1 ? [] : [values.length];
  return { dtype: "int32", shape, data: Int32Array.from(values) };
}
