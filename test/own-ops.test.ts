import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { decodeText, type Tensor } from "@nearside/core";
import { expectClose } from "@nearside/core/testing";
import { openSession } from "@nearside/server";
import { describe, expect, onTestFinished, test } from "vitest";
import { fixturesRoot, readGolden } from "./fixtures.ts";

const absent = "the fixtures (../shared/fixtures) are not here";

/** Signatures that stock TensorFlow.js can't run or gets wrong, and the ops of ours that they need. */
const signatures: readonly {
  fixture: string;
  signature?: string;
  ownOps: readonly string[];
}[] = [
  { fixture: "made/ragged_sum", ownOps: ["UnsortedSegmentSum"] },
  { fixture: "made/ragged_sum", signature: "to_tensor", ownOps: ["RaggedTensorToTensor", "UnsortedSegmentSum"] },
  { fixture: "made/ragged_sum", signature: "gather", ownOps: ["RaggedGather", "RaggedRange"] },
  { fixture: "made/superres", signature: "space_to_depth", ownOps: ["SpaceToDepth"] },
  { fixture: "made/unsupported", ownOps: ["MatrixDiagV3"] },
  { fixture: "made/bool_masks", signature: "scatter", ownOps: ["NearsideTensorScatterUpdate"] },
  { fixture: "made/complex_fft", ownOps: ["NearsideComplexMul"] },
  { fixture: "made/complex_fft", signature: "rfft", ownOps: ["NearsideComplexMul"] },
  { fixture: "made/complex_fft", signature: "complex_out", ownOps: ["Angle", "Conj", "NearsideComplexMul"] },
  { fixture: "made/complex_fft", signature: "fft2d", ownOps: ["FFT2D"] },
  { fixture: "made/nms_v5", ownOps: [] },
  { fixture: "made/nms_v5", signature: "v4_padded", ownOps: [] },
  { fixture: "made/int64_math", signature: "narrow_casts", ownOps: [] },
  { fixture: "made/dynamic_shapes", ownOps: [] },
];

describe("models with ops that TensorFlow.js lacks or gets wrong give TensorFlow's results", () => {
  for (const { fixture, signature = "serving_default", ownOps } of signatures) {
    for (const backend of ["cpu", "wasm"] as const) {
      test(`${fixture}, ${signature}, on ${backend}`, async (ctx) => {
        if (fixturesRoot === undefined) return ctx.skip(absent);
        const folder = await convertFixture(join(fixturesRoot, fixture), signature);
        const manifest = JSON.parse(await readFile(join(folder, "model.json"), "utf8"));
        expect(manifest.nearside?.ops ?? []).toEqual(expect.arrayContaining([...ownOps]));
        expect(manifest.nearside === undefined).toBe(ownOps.length === 0);
        await using session = await openSession(folder, { backend });
        const cases = await readGolden(join(fixturesRoot, fixture), signature);
        expect(cases.length).toBeGreaterThan(0);
        for (const { inputs, outputs } of cases) expectClose(await session.run(inputs), outputs);
      });
    }
  }
});

test("a model reads serialized tf.Examples, which are bytes and not text", async (ctx) => {
  if (fixturesRoot === undefined) return ctx.skip(absent);
  const folder = await convertFixture(join(fixturesRoot, "public/serving-half-plus-two-cpu"), "regress_x_to_y");
  await using session = await openSession(folder, { backend: "cpu" });
  const example = (x: number) => {
    const value = [...new Uint8Array(Float32Array.of(x).buffer)];
    // features { feature { key: "x" value { float_list { value: x } } } }
    return decodeText(Uint8Array.of(10, 15, 10, 13, 10, 1, 120, 18, 8, 18, 6, 10, 4, ...value));
  };
  const inputs: Tensor = { dtype: "string", shape: [2], data: [example(3), example(-1.7)] };
  const outputs: Tensor = { dtype: "float32", shape: [2, 1], data: Float32Array.of(0.5 * 3 + 2, 0.5 * -1.7 + 2) };
  expectClose(await session.run({ inputs }), { outputs });
});

/** Converts one signature into a folder that is gone when the test is over. */
async function convertFixture(fixture: string, signature: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nearside-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const target = join(folder, "model");
  await convert(readDirectory(join(fixture, "saved_model")), writeDirectory(target), { signature });
  return target;
}
