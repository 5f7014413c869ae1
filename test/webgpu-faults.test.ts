import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tensors } from "@nearside/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type HarnessPage, openHarness } from "./harness-page.ts";
import { toPlainTensors } from "./plain-tensors.ts";

// Large enough to be computed on the device: TensorFlow.js computes up to 1000 elements on the CPU.
const count = 1200;
const values = Float32Array.from({ length: count }, (_, index) => index % 7);
const axis = { dtype: "int32", shape: [], data: Int32Array.of(1) } as const;

const cumsum = (name: string, x: string) => ({
  name,
  op: "Cumsum",
  input: [x, "axis"],
  attr: { reverse: { b: true }, exclusive: { b: false }, T: { type: "DT_FLOAT" } },
});

const models = {
  transpose: {
    nodes: [{ name: "y", op: "Transpose", input: ["x", "perm"], attr: { T: { type: "DT_INT32" } } }],
    inputs: { x: "DT_INT32", perm: "DT_INT32" },
    outputs: { y: "DT_INT32" },
  },
  castAndTranspose: {
    nodes: [
      { name: "floats", op: "Cast", input: ["x"], attr: { SrcT: { type: "DT_INT32" }, DstT: { type: "DT_FLOAT" } } },
      { name: "y", op: "Transpose", input: ["floats", "perm"], attr: { T: { type: "DT_FLOAT" } } },
    ],
    inputs: { x: "DT_INT32", perm: "DT_INT32" },
    outputs: { y: "DT_FLOAT" },
  },
  cumsum: {
    nodes: [cumsum("y", "x"), cumsum("w", "z")],
    inputs: { x: "DT_FLOAT", z: "DT_FLOAT", axis: "DT_INT32" },
    outputs: { y: "DT_FLOAT", w: "DT_FLOAT" },
  },
  mirror: {
    nodes: [{ name: "y", op: "MirrorPad", input: ["x", "paddings"], attr: { mode: { s: btoa("REFLECT") } } }],
    inputs: { x: "DT_FLOAT", paddings: "DT_INT32" },
    outputs: { y: "DT_FLOAT" },
  },
} as const;

let folder: string;
let harness: HarnessPage;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-"));
  for (const [name, { nodes, inputs, outputs }] of Object.entries(models)) {
    const infos = (ports: Readonly<Record<string, string>>) =>
      Object.fromEntries(
        Object.entries(ports).map(([key, dtype]) => [
          key,
          { name: `${key}:0`, dtype, tensorShape: { unknownRank: true } },
        ]),
      );
    const placeholders = Object.entries(inputs).map(([key, type]) => ({
      name: key,
      op: "Placeholder",
      attr: { dtype: { type }, shape: { shape: { unknownRank: true } } },
    }));
    const manifest = {
      format: "graph-model",
      signature: { inputs: infos(inputs), outputs: infos(outputs) },
      modelTopology: { node: [...placeholders, ...nodes], versions: {} },
      weightsManifest: [],
    };
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, "model.json"), JSON.stringify(manifest));
  }
  harness = await openHarness(folder);
});
afterAll(async () => {
  await harness?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

function run(model: keyof typeof models, inputs: Tensors) {
  const options = { backend: "webgpu", warmUp: false, cache: false } as const;
  return harness.page.evaluate(
    ([model, inputs, options]) =>
      globalThis.harness.openAndRun({ open: `/models/${model}/model.json`, options }, inputs),
    [model, toPlainTensors(inputs), options] as const,
  );
}

test.each([
  ["integers", "transpose"],
  ["integers that were cast to floats", "castAndTranspose"],
] as const)("WebGPU transposes %s over three axes, whose shader TensorFlow.js can't compile", async (_, model) => {
  const [height, width] = [3, 4];
  const depth = count / height / width;
  const outcome = await run(model, {
    x: { dtype: "int32", shape: [height, width, depth], data: Int32Array.from(values.keys()) },
    perm: { dtype: "int32", shape: [3], data: Int32Array.of(2, 0, 1) },
  });
  const rows = Array.from({ length: depth }, (_, k) =>
    Array.from({ length: height * width }, (_, place) => place * depth + k),
  );
  expect(outcome).toMatchObject({ value: { outputs: { y: { data: rows.flat() } } } });
});

test("WebGPU adds up in reverse over two lengths, for which TensorFlow.js takes one shader", async () => {
  const sums = (length: number) =>
    Array.from(values, (_, index) => {
      const end = (Math.floor(index / length) + 1) * length;
      return values.slice(index, end).reduce((sum, value) => sum + value, 0);
    });
  const outcome = await run("cumsum", {
    x: { dtype: "float32", shape: [4, 300], data: values },
    z: { dtype: "float32", shape: [40, 30], data: values },
    axis,
  });
  expect(outcome).toMatchObject({ value: { outputs: { y: { data: sums(300) }, w: { data: sums(30) } } } });
});

test("what a shader that doesn't compile left in memory is no result but an internal error", async () => {
  const outcome = await run("mirror", {
    x: { dtype: "float32", shape: [2, 2, 2, 2, 75], data: values },
    paddings: { dtype: "int32", shape: [5, 2], data: Int32Array.of(0, 0, 0, 0, 0, 0, 1, 1, 1, 1) },
  });
  expect(outcome).toMatchObject({ error: { code: "internal", message: expect.stringContaining("the device failed") } });
});
