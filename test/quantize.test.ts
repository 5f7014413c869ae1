import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convert, type QuantizedDType } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { elementCount, parseManifest, type Tensors } from "@nearside/core";
import { openLocalSession } from "@nearside/runtime";
import { openCpuBackend } from "@nearside/runtime/backends/cpu";
import { describe, expect, onTestFinished, test } from "vitest";
import { quantizationOf, quantize, quantizedDTypes } from "../converter/src/graph-model/quantization.ts";
import { fixturesRoot } from "./fixtures.ts";
import { readExample } from "./models.ts";
import { runInTfjs } from "./run-in-tfjs.ts";

/** What the Python converter wrote for each type, and how far the results may be off. */
const cases = [
  { dtype: "float16", reference: "tfjs_f16", tolerance: 1e-3 },
  { dtype: "uint16", reference: "tfjs_u16", tolerance: 1e-3 },
  { dtype: "uint8", reference: "tfjs_u8", tolerance: 0.05 },
] as const satisfies readonly { dtype: QuantizedDType; reference: string; tolerance: number }[];

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
    const { golden, folder } = await convertDigits(dtype);
    expectNear(await runInTfjs(folder, golden.inputs), golden.outputs, tolerance);
  });

  test("runs in a session", async () => {
    const { golden, folder } = await convertDigits(dtype);
    const manifest = parseManifest(await readFile(join(folder, "model.json"), "utf8"));
    const readShard = async ({ path }: { path: string }) => new Uint8Array(await readFile(join(folder, path))).buffer;
    await using session = await openLocalSession("digits", { manifest, readShard }, await openCpuBackend());
    expectNear(await session.run(golden.inputs), golden.outputs, tolerance);
  });
});

async function convertDigits(dtype: QuantizedDType) {
  const { savedModel, golden } = await readExample("digits");
  const folder = await mkdtemp(join(tmpdir(), "nearside-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await convert(readDirectory(savedModel), writeDirectory(folder), { quantize: { [dtype]: true } });
  const [first] = golden;
  if (first === undefined) throw new Error("the digits have no golden values");
  return { golden: first, folder };
}

/** The weights of a model in one shard, each with its bytes. */
async function readWeights(folder: string) {
  const { weightGroups } = parseManifest(await readFile(join(folder, "model.json"), "utf8"));
  const [group] = weightGroups;
  const file = new Uint8Array(await readFile(join(folder, group?.shards[0]?.path ?? "")));
  let at = 0;
  return (group?.weights ?? []).map((weight) => {
    const stored = String(weight.quantization?.dtype ?? weight.dtype);
    const elementBytes = stored in quantizedDTypes ? quantizedDTypes[stored as QuantizedDType].bytes : 4; // one of them
    const end = at + elementCount(weight.shape) * elementBytes;
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
