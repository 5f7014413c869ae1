import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { elementCount, type Tensors } from "@nearside/core";
import { openLocalSession } from "@nearside/runtime";
import { openWebgpuBackend } from "@nearside/runtime/backends/webgpu";
import { expect, onTestFinished, test } from "vitest";
import { noDawn, openDawn } from "../packages/runtime/testing/open-dawn.ts";
import { readModelFolder } from "../packages/server/src/model-folder.ts";
import { fixturesRoot, readGolden } from "./fixtures.ts";
import { openHarness } from "./harness-page.ts";
import { convertModels, readExample } from "./models.ts";
import { fromPlainTensors, toPlainTensors } from "./plain-tensors.ts";

/** The most that outputs may be off with float16, √(Σ(got − want)² / Σ want²), and the share of the weights' memory. */
const models = [
  { name: "mobilenet_v2", relativeError: 3e-2, memory: 0.52 },
  { name: "bert_tiny", relativeError: 2e-3, memory: 0.9 }, // most of its weights are those of einsums, or small
];

const gpu = await openDawn();

const timeout = 300_000; // SwiftShader compiles some 70 shaders for mobilenet_v2

test.for(models)(
  "$name with products of float16 differs little, and needs less memory",
  { timeout },
  async (model, ctx) => {
    if (fixturesRoot === undefined) return ctx.skip("the fixtures (../shared/fixtures) are not here");
    if (gpu === undefined) return ctx.skip(noDawn);
    const fixture = join(fixturesRoot, "made", model.name);
    const folder = await mkdtemp(join(tmpdir(), "nearside-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await convert(readDirectory(join(fixture, "saved_model")), writeDirectory(folder));
    const [golden] = await readGolden(fixture, "serving_default");
    if (golden === undefined) throw new Error("it has no golden values");
    const files = await readModelFolder(folder);
    const backend = await openWebgpuBackend({ gpu });
    onTestFinished(() => backend.close());
    const before = backend.memory().deviceBytes;
    await using session = await openLocalSession("model", files, backend, { warmUp: false, precision: "float16" });
    const weights = files.manifest.weightGroups.flatMap((group) => group.weights);
    const floatBytes = weights.reduce((sum, { shape }) => sum + 4 * elementCount(shape), 0);
    expect((backend.memory().deviceBytes - before) / floatBytes).toBeLessThan(model.memory);
    const error = relativeError(await session.run(golden.inputs), golden.outputs);
    expect(error).toBeLessThan(model.relativeError);
    expect(error).toBeGreaterThan(1e-4); // or it was float32
  },
);

function relativeError(got: Tensors, want: Tensors): number {
  let [squares, wantSquares] = [0, 0];
  for (const [name, { data }] of Object.entries(want)) {
    for (const [at, value] of (data as Float32Array).entries()) {
      squares += (Number(got[name]?.data[at]) - value) ** 2;
      wantSquares += value ** 2;
    }
  }
  return Math.sqrt(squares / wantSquares);
}

test("a page asks for products of float16", async () => {
  const digits = await readExample("digits");
  await using models = await convertModels([digits]);
  await using harness = await openHarness(models.folder);
  const image = { dtype: "float32", shape: [1, 28, 28, 1], data: new Float32Array(784).fill(0.1) } as const; // no digit
  const outputs: Tensors[] = [];
  for (const precision of ["float32", "float16"] as const) {
    const options = { backend: "webgpu", cache: false, precision } as const;
    const given = [{ open: "/models/digits/model.json", options }, toPlainTensors({ image })] as const;
    const outcome = await harness.page.evaluate(([to, inputs]) => globalThis.harness.openAndRun(to, inputs), given);
    if ("error" in outcome) throw new Error(outcome.error.message);
    outputs.push(fromPlainTensors(outcome.value.outputs));
  }
  const [full = {}, half = {}] = outputs;
  expect(relativeError(half, full)).toBeGreaterThan(1e-6);
  expect(relativeError(half, full)).toBeLessThan(1e-2);
});
