import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConvertOptions, convert, repack } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { modelOpener } from "@nearside/converter/open-model";
import { elementCount, parseManifest, quantizedBytes, type Tensors } from "@nearside/core";
import { openLocalSession } from "@nearside/runtime";
import { openCpuBackend } from "@nearside/runtime/backends/cpu";
import { openSession } from "@nearside/server";
import { describe, expect, onTestFinished, test } from "vitest";
import { quantizationOf, quantize, type TensorQuantization } from "../converter/src/graph-model/quantization.ts";
import { fixturesRoot, readGolden } from "./fixtures.ts";
import { openHarness } from "./harness-page.ts";
import { readExample } from "./models.ts";
import { fromPlainTensors, toPlainTensors } from "./plain-tensors.ts";
import { runInTfjs } from "./run-in-tfjs.ts";

/** What the Python converter wrote for each type, and how far the results may be off. */
const cases = [
  { dtype: "float16", reference: "tfjs_f16", tolerance: 1e-3 },
  { dtype: "uint16", reference: "tfjs_u16", tolerance: 1e-3 },
  { dtype: "uint8", reference: "tfjs_u8", tolerance: 0.05 },
] as const satisfies readonly { dtype: TensorQuantization["dtype"]; reference: string; tolerance: number }[];

describe("quantize stores the bytes that the Python converter stores", () => {
  test.for(cases)("$dtype", async ({ dtype, reference }, ctx) => {
    if (fixturesRoot === undefined) return ctx.skip("the fixtures (../shared/fixtures) are not here");
    const folder = join(fixturesRoot, "made/k3_conv_bn_relu/reference");
    const plain = await readWeights(join(folder, "tfjs"));
    const expected = await readWeights(join(folder, reference));
    expect(plain.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
    for (const [index, { dtype: plainDType, bytes }] of plain.entries()) {
      if (plainDType !== "float32") continue;
      const values = new Float32Array(bytes.slice().buffer);
      const quantization = quantizationOf(dtype, { least: Math.min(...values), greatest: Math.max(...values) });
      expect(quantization).toEqual(expected[index]?.quantization);
      expect(quantize(values, quantization)).toEqual(expected[index]?.bytes);
    }
  });
});

describe.each(cases)("a model quantized to $dtype", ({ dtype, tolerance }) => {
  test("runs in stock TensorFlow.js", async () => {
    const { golden, folder } = await convertDigits({ [dtype]: true });
    expectNear(await runInTfjs(folder, golden.inputs), golden.outputs, tolerance);
  });

  test("runs in a session", async () => {
    const { golden, folder } = await convertDigits({ [dtype]: true });
    const manifest = parseManifest(await readFile(join(folder, "model.json"), "utf8"));
    const readShard = async ({ path }: { path: string }) => new Uint8Array(await readFile(join(folder, path))).buffer;
    await using session = await openLocalSession("digits", { manifest, readShard }, await openCpuBackend());
    expectNear(await session.run(golden.inputs), golden.outputs, tolerance);
  });
});

describe("a model quantized to int8 by channel", () => {
  test.each(["cpu", "wasm"] as const)("runs in a session on %s", async (backend) => {
    const { golden, folder } = await convertDigits({ int8: true });
    await using session = await openSession(folder, { backend });
    expectNear(await session.run(golden.inputs), golden.outputs, 0.02);
  });

  test.each(["webgpu", "wasm"] as const)("runs in a browser on %s", async (backend) => {
    const { golden, folder } = await convertDigits({ int8: true });
    await using harness = await openHarness(folder);
    const target = { open: "/models/model.json", options: { backend } };
    const outcome = await harness.page.evaluate(([target, inputs]) => globalThis.harness.openAndRun(target, inputs), [
      target,
      toPlainTensors(golden.inputs),
    ] as const);
    if ("error" in outcome) throw new Error(outcome.error.message);
    expect(outcome.value.backend).toBe(backend);
    expectNear(fromPlainTensors(outcome.value.outputs), golden.outputs, 0.02);
  });

  test("says that it needs our loader, and is refused by stock TensorFlow.js", async () => {
    const { golden, folder, report } = await convertDigits({ int8: true });
    expect(report.needsOwnRuntime).toBe(true);
    const model = JSON.parse(await readFile(join(folder, "model.json"), "utf8"));
    expect(model.nearside).toEqual({ quantization: ["int8"] });
    await expect(runInTfjs(folder, golden.inputs)).rejects.toThrow(/unknown quantization dtype int8/);
  });

  test("is as small as uint8, and is written anew byte for byte", async () => {
    const { folder, report } = await convertDigits({ int8: true });
    const uint8 = await convertDigits({ uint8: true });
    expect(report.weightBytes / uint8.report.weightBytes).toBeLessThan(1.04);
    const again = await repack(readDirectory(folder), writeDirectory(await temporaryFolder()));
    expect(again.shards).toEqual(report.shards);
    const plain = await convertDigits({});
    const repacked = await repack(readDirectory(plain.folder), writeDirectory(await temporaryFolder()), {
      quantize: { int8: true },
    });
    expect(repacked.shards).toEqual(report.shards);
  });

  test("is refused where its shards are too short", async () => {
    const { folder } = await convertDigits({ int8: true });
    const text = await readFile(join(folder, "model.json"), "utf8");
    const manifest = parseManifest(text.replaceAll('"axes":[3]', '"axes":[2,3]'));
    const readShard = async ({ path }: { path: string }) => new Uint8Array(await readFile(join(folder, path))).buffer;
    const backend = await openCpuBackend();
    await expect(openLocalSession("digits", { manifest, readShard }, backend)).rejects.toMatchObject({
      code: "data-loss",
      message: expect.stringContaining("in the shards"),
    });
  });
});

test("int8 by channel has at most a third of uint8's error on MobileNetV2, at its size", async (ctx) => {
  if (fixturesRoot === undefined) return ctx.skip("the fixtures (../shared/fixtures) are not here");
  const fixture = join(fixturesRoot, "made/mobilenet_v2");
  const verify = await readGolden(fixture, "serving_default");
  const openModel = await modelOpener();
  // One after another: a process runs on one backend at a time.
  const uint8 = await measure("uint8");
  const int8 = await measure("int8");
  expect(int8.relative / uint8.relative).toBeLessThan(1 / 3);
  expect(int8.maxAbsolute / uint8.maxAbsolute).toBeLessThan(1 / 3);
  expect(int8.weightBytes / uint8.weightBytes).toBeLessThan(1.025);

  async function measure(dtype: "uint8" | "int8") {
    const target = writeDirectory(await temporaryFolder());
    const options = { quantize: { [dtype]: true }, verify, openModel };
    const { weightBytes, verification } = await convert(readDirectory(join(fixture, "saved_model")), target, options);
    const { relative = Number.NaN, maxAbsolute = Number.NaN } = verification?.golden?.output_0 ?? {};
    return { weightBytes, relative, maxAbsolute };
  }
}, 180_000); // two conversions, and four models to open, on a machine that may be busy

describe("an automatic quantisation", () => {
  test.each([
    { maxError: 1e-2, weightBytes: 90_000, types: ["float16", "float32", "int8"] },
    { maxError: 1e-3, weightBytes: 117_232, types: ["float16", "float32"] },
    { maxError: 1e-6, weightBytes: 234_416, types: ["float32"] },
  ])("keeps the error below $maxError in $weightBytes bytes", async ({ maxError, types, ...expected }) => {
    const openModel = await modelOpener();
    const { report } = await convertDigits({ auto: { maxError } }, { openModel, verify: true });
    const { chosenDTypes, verification, weightBytes } = report;
    expect(chosenDTypes?.error).toBeLessThanOrEqual(maxError);
    // The same inputs, but beside the graph before it was optimised.
    expect(verification?.source.probabilities?.relative).toBeLessThan(maxError + 1e-6);
    const chosen = Object.values(chosenDTypes?.weights ?? {}).map(({ dtype }) => dtype);
    expect([...new Set(chosen)].sort()).toEqual(types);
    expect(weightBytes).toBeLessThanOrEqual(expected.weightBytes);
    expect(chosenDTypes?.evaluations).toBeLessThan(25);
  });

  test("is refused without a way to run models, before anything is written", async () => {
    await expect(convertDigits({ auto: { maxError: 0.01 } })).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining("openModel"),
    });
  });
});

async function convertDigits(quantize: NonNullable<ConvertOptions["quantize"]>, options: ConvertOptions = {}) {
  const { savedModel, golden } = await readExample("digits");
  const folder = await temporaryFolder();
  const report = await convert(readDirectory(savedModel), writeDirectory(folder), { ...options, quantize });
  const [first] = golden;
  if (first === undefined) throw new Error("the digits have no golden values");
  return { golden: first, folder, report };
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nearside-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The weights of a model in one shard, each with its bytes. */
async function readWeights(folder: string) {
  const { weightGroups } = parseManifest(await readFile(join(folder, "model.json"), "utf8"));
  const [group] = weightGroups;
  const file = new Uint8Array(await readFile(join(folder, group?.shards[0]?.path ?? "")));
  let at = 0;
  return (group?.weights ?? []).map((weight) => {
    const { quantization, shape } = weight;
    const end = at + (quantization ? quantizedBytes(quantization, shape) : 4 * elementCount(shape));
    const bytes = file.slice(at, end);
    at = end;
    return { ...weight, bytes };
  });
}

function expectNear(actual: Tensors, expected: Tensors, tolerance: number): void {
  for (const [key, { data }] of Object.entries(expected)) {
    for (const [index, value] of [...data].entries()) {
      expect(Math.abs(Number(actual[key]?.data[index]) - Number(value))).toBeLessThan(tolerance);
    }
  }
}
