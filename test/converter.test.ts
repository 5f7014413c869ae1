import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convert, type QuantizeOptions } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { expectClose } from "@nearside/core/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { retrain } from "../converter/testing/retrain.ts";
import {
  asynchronousFixtures,
  firstCutFixtures,
  fixturesRoot,
  readGolden,
  textFixtures,
  unrolledFixtures,
} from "./fixtures.ts";
import { runAsyncInTfjs, runInTfjs } from "./run-in-tfjs.ts";

/** Models that the optimiser changes most: fused, folded, or convertible thanks to it. */
const optimisedFixtures = [
  "made/k3_conv1d",
  "made/k3_embedding",
  "made/k3_gelu",
  "made/k3_prelu",
  "made/matmul_activations",
  "made/mobilenet_v2",
  "made/unet_small",
  "made/vit_tiny",
  "public/mlperf-tiny-kws-dscnn",
];

const absent = "the fixtures (../shared/fixtures) are not here";

describe("converted models give TensorFlow's results in stock TensorFlow.js", () => {
  const checked = [
    ...[...firstCutFixtures, ...optimisedFixtures, ...textFixtures, ...unrolledFixtures].map((fixture) => ({
      fixture,
      signature: "serving_default",
      run: runInTfjs,
    })),
    ...Object.entries(asynchronousFixtures).flatMap(([fixture, signatures]) =>
      signatures.map((signature) => ({ fixture, signature, run: runAsyncInTfjs })),
    ),
  ];
  for (const { fixture, signature, run } of checked) {
    test(`${fixture}, ${signature}`, async (ctx) => {
      if (fixturesRoot === undefined) return ctx.skip(absent);
      const folder = join(fixturesRoot, fixture);
      const output = join(await temporaryFolder(), "model");
      await convert(readDirectory(join(folder, "saved_model")), writeDirectory(output), { signature });
      const cases = await readGolden(folder, signature);
      expect(cases.length).toBeGreaterThan(0);
      for (const { inputs, outputs } of cases) expectClose(await run(output, inputs), outputs);
    });
  }
});

describe("convert", () => {
  test("writes the same bytes each time", async (ctx) => {
    const [first, second] = [await temporaryFolder(), await temporaryFolder()];
    for (const folder of [first, second]) {
      const source = fixtureSource("examples/models/digits");
      if (source === undefined) return ctx.skip(absent);
      await convert(readDirectory(source), writeDirectory(folder), { shardBytes: 256 });
    }
    expect(await readFiles(first)).toEqual(await readFiles(second));
  });

  test("takes Node's Buffers from a source for the bytes that they are", async () => {
    const directory = readDirectory(fixtureSource("examples/models/digits") ?? "");
    const buffers: typeof directory = {
      sizeBytes: (path) => directory.sizeBytes(path),
      // Within a larger buffer, at an odd place, as Node hands out small files.
      read: async (path, start, end) =>
        Buffer.concat([Buffer.of(1), await directory.read(path, start, end)]).subarray(1),
    };
    const [plain, other] = [await temporaryFolder(), await temporaryFolder()];
    for (const quantize of [{}, { uint8: true }, { float16: true }] satisfies QuantizeOptions[]) {
      await convert(directory, writeDirectory(plain), { quantize });
      await convert(buffers, writeDirectory(other), { quantize });
      expect(await readFiles(other)).toEqual(await readFiles(plain));
    }
  });

  test("cuts weights into shards of at most shardBytes", async (ctx) => {
    const source = fixtureSource("made/conv_bn_relu6");
    if (source === undefined) return ctx.skip(absent);
    const folder = await temporaryFolder();
    const { shards } = await convert(readDirectory(source), writeDirectory(folder), { shardBytes: 100 });
    expect(shards.length).toBeGreaterThan(8);
    expect(Math.max(...shards.map(({ bytes }) => bytes ?? 0))).toBe(100);
    const [golden] = await readGolden(join(fixturesRoot ?? "", "made/conv_bn_relu6"), "serving_default");
    expectClose(await runInTfjs(folder, golden?.inputs ?? {}), golden?.outputs ?? {});
  });

  test("keeps every shard but the retrained layer's", async () => {
    const model = join(await temporaryFolder(), "saved_model");
    await cp(fixtureSource("examples/models/digits") ?? "", model, { recursive: true });
    const convertModel = async (quantize: QuantizeOptions) => {
      const options = { shardBytes: 8192, quantize };
      const { shards } = await convert(readDirectory(model), writeDirectory(await temporaryFolder()), options);
      return shards.map(({ path }) => path);
    };
    const [plain, quantized] = [await convertModel({}), await convertModel({ uint8: true })];
    await retrain(model, [64, 10]); // the weights of the last layer
    for (const [before, after] of [
      [plain, await convertModel({})] as const,
      [quantized, await convertModel({ uint8: true })] as const,
    ]) {
      expect(after).toHaveLength(before.length);
      expect(after.filter((path) => !before.includes(path))).toHaveLength(1);
    }
  });

  test("leaves MobileNetV2 fused convolutions and what joins them", async (ctx) => {
    const source = fixtureSource("made/mobilenet_v2");
    if (source === undefined) return ctx.skip(absent);
    const { ops } = await convert(readDirectory(source), writeDirectory(await temporaryFolder()));
    expect(ops).toEqual({
      AddV2: 10,
      FusedDepthwiseConv2dNative: 17,
      Identity: 1,
      Mean: 1,
      Placeholder: 1,
      Softmax: 1,
      _FusedConv2D: 35,
      _FusedMatMul: 1,
    });
  });

  test("fixes an input's shape, and with it those of the outputs", async (ctx) => {
    const source = fixtureSource("made/superres");
    if (source === undefined) return ctx.skip(absent);
    const folder = await temporaryFolder();
    const inputShapes = { image: [1, 8, 6, 3] };
    const { signature, ops } = await convert(readDirectory(source), writeDirectory(folder), { inputShapes });
    expect(signature.inputs.image?.shape).toEqual([1, 8, 6, 3]);
    expect(signature.outputs.image_x2?.shape).toEqual([1, 16, 12, 3]);
    expect(ops).not.toHaveProperty("Shape");
    const other = convert(readDirectory(source), writeDirectory(folder), { inputShapes: { image: [1, 8, 6, 4] } });
    await expect(other).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining('signature "serving_default": input "image": expected a shape like [?,?,?,3]'),
    });
    expect(await readdir(folder)).toContain("model.json");
  });

  test("writes out loops over a length that is fixed by an input's shape", async (ctx) => {
    const source = fixtureSource("made/lstm_stacked");
    if (source === undefined) return ctx.skip(absent);
    const [golden] = await readGolden(join(fixturesRoot ?? "", "made/lstm_stacked"), "serving_default");
    const { inputs = {}, outputs = {} } = golden ?? {};
    const folder = await temporaryFolder();
    const inputShapes = Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape]));
    const { ops } = await convert(readDirectory(source), writeDirectory(folder), { inputShapes });
    expect(ops).not.toHaveProperty("LoopCond");
    expectClose(await runInTfjs(folder, inputs), outputs);
  });

  test("replaces an earlier conversion", async (ctx) => {
    const [linear, digits] = [
      fixtureSource("examples/models/linear-regression"),
      fixtureSource("examples/models/digits"),
    ];
    if (linear === undefined || digits === undefined) return ctx.skip(absent);
    const folder = await temporaryFolder();
    await convert(readDirectory(linear), writeDirectory(folder));
    await convert(readDirectory(digits), writeDirectory(folder));
    const { shards } = await convert(readDirectory(digits), writeDirectory(await temporaryFolder()));
    const expected = ["model.d.ts", "model.json", ...shards.map(({ path }) => path)];
    expect((await readdir(folder)).sort()).toEqual(expected.sort());
  });

  test("writes types for the signature", async (ctx) => {
    const source = fixtureSource("made/multi_io");
    if (source === undefined) return ctx.skip(absent);
    const folder = await temporaryFolder();
    await convert(readDirectory(source), writeDirectory(folder));
    const types = await readFile(join(folder, "model.d.ts"), "utf8");
    expect(types).toContain('/** float32 [?,4] */\n    readonly a: Tensor<"float32">;');
  });
});

describe("convert refuses, and leaves no output,", () => {
  const cases: readonly {
    name: string;
    fixture: string;
    damage?: (model: string) => Promise<void>;
    signature?: string;
    code: string;
    message: RegExp;
  }[] = [
    {
      name: "a cut-off saved_model.pb",
      fixture: "examples/models/linear-regression",
      damage: (model) => truncate(join(model, "saved_model.pb"), 5000),
      code: "data-loss",
      message: /saved_model\.pb, byte \d+: expected .* got .*/,
    },
    {
      name: "a missing data shard",
      fixture: "examples/models/linear-regression",
      damage: (model) => rm(join(model, "variables/variables.data-00000-of-00001")),
      code: "data-loss",
      message: /variables\.data-00000-of-00001.*missing/,
    },
    {
      name: "a cut-off data shard",
      fixture: "examples/models/linear-regression",
      damage: (model) => truncate(join(model, "variables/variables.data-00000-of-00001"), 4),
      code: "data-loss",
      message: /a file of 4;/,
    },
    {
      name: "a weight that doesn't match its checksum",
      fixture: "examples/models/digits",
      damage: (model) => flipBytes(join(model, "variables/variables.data-00000-of-00001"), 10_000),
      code: "data-loss",
      message: /expected checksum [0-9a-f]+, got [0-9a-f]+/,
    },
    {
      name: "an index that doesn't match its checksum",
      fixture: "examples/models/linear-regression",
      damage: (model) => flipBytes(join(model, "variables/variables.index"), 30),
      code: "data-loss",
      message: /checksum .* of the block/,
    },
    {
      name: "a signature that isn't there",
      fixture: "examples/models/linear-regression",
      signature: "predict",
      code: "not-found",
      message: /"predict": not in the model; it has .*"serving_default"/,
    },
    {
      name: "a folder without a model",
      fixture: "examples/models/linear-regression",
      damage: (model) => rm(join(model, "saved_model.pb")),
      code: "not-found",
      message: /saved_model\.pb: no such file/,
    },
    {
      name: "ops that TensorFlow.js lacks",
      fixture: "public/tfdf-adult-random-forest",
      code: "unsupported",
      message: /1 × SimpleMLInferenceOpWithHandle {2}"StatefulPartitionedCall\/.*\s+TensorFlow.js has no such op\s+→/,
    },
  ];
  for (const { name, fixture, damage, signature = "serving_default", code, message } of cases) {
    test(name, async (ctx) => {
      const source = fixtureSource(fixture);
      if (source === undefined) return ctx.skip(absent);
      const folder = await temporaryFolder();
      const model = join(folder, "saved_model");
      await cp(source, model, { recursive: true });
      await damage?.(model);
      const conversion = convert(readDirectory(model), writeDirectory(join(folder, "output")), { signature });
      await expect(conversion).rejects.toMatchObject({
        name: "InferenceError",
        code,
        message: expect.stringMatching(message),
      });
      expect(await readdir(folder)).toEqual(["saved_model"]);
    });
  }

  test("a folder that holds something else", async (ctx) => {
    const source = fixtureSource("examples/models/linear-regression");
    if (source === undefined) return ctx.skip(absent);
    const folder = await temporaryFolder();
    await writeFile(join(folder, "notes.txt"), "mine");
    const conversion = convert(readDirectory(source), writeDirectory(folder));
    await expect(conversion).rejects.toMatchObject({ code: "already-exists" });
    expect(await readdir(folder)).toEqual(["notes.txt"]);
  });

  test("when its signal is aborted", async (ctx) => {
    const source = fixtureSource("examples/models/digits");
    if (source === undefined) return ctx.skip(absent);
    const folder = await temporaryFolder();
    const controller = new AbortController();
    const conversion = convert(readDirectory(source), writeDirectory(join(folder, "output")), {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("enough")),
    });
    await expect(conversion).rejects.toThrow("enough");
    expect(await readdir(folder)).toEqual([]);
  });
});

/** The SavedModel of a fixture, undefined where the fixtures are absent, or of an example model, which is never. */
function fixtureSource(fixture: string): string | undefined {
  if (fixture.startsWith("examples/")) return fileURLToPath(new URL(`../${fixture}/saved_model`, import.meta.url));
  return fixturesRoot === undefined ? undefined : join(fixturesRoot, fixture, "saved_model");
}

/** A folder of the test's own, removed when it is over. */
async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nearside-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Flips a bit in every `step`th byte. */
async function flipBytes(path: string, step: number): Promise<void> {
  const bytes = await readFile(path);
  for (let at = step; at < bytes.length; at += step) bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

async function readFiles(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).sort();
  const files = await Promise.all(names.map((name) => readFile(join(folder, name), "base64")));
  return Object.fromEntries(names.map((name, index) => [name, files[index] ?? ""]));
}
