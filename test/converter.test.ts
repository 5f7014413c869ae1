import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { type Manifest, parseManifest, type Tensor, type Tensors } from "@nearside/core";
import { expectClose } from "@nearside/core/testing";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import {
  asynchronousFixtures,
  firstCutFixtures,
  fixturesRoot,
  readGolden,
  textFixtures,
  unrolledFixtures,
} from "./fixtures.ts";

const absent = "the fixtures (../shared/fixtures) are not here";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

describe("converted models give TensorFlow's results in stock TensorFlow.js", () => {
  const checked = [
    ...[...firstCutFixtures, ...textFixtures, ...unrolledFixtures].map((fixture) => ({
      fixture,
      signature: "serving_default",
      run,
    })),
    ...Object.entries(asynchronousFixtures).flatMap(([fixture, signatures]) =>
      signatures.map((signature) => ({ fixture, signature, run: runAsync })),
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

  test("cuts weights into shards of at most shardBytes", async (ctx) => {
    const source = fixtureSource("made/conv_bn_relu6");
    if (source === undefined) return ctx.skip(absent);
    const folder = await temporaryFolder();
    const { shards } = await convert(readDirectory(source), writeDirectory(folder), { shardBytes: 100 });
    expect(shards.length).toBeGreaterThan(8);
    expect(Math.max(...shards.map(({ bytes }) => bytes ?? 0))).toBe(100);
    const [golden] = await readGolden(join(fixturesRoot ?? "", "made/conv_bn_relu6"), "serving_default");
    expectClose(await run(folder, golden?.inputs ?? {}), golden?.outputs ?? {});
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
      damage: (model) => truncate(join(model, "variables/variables.data-00000-of-00001"), 20),
      code: "data-loss",
      message: /a file of 20/,
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
      fixture: "made/k3_gelu",
      code: "unsupported",
      message: /1 × Erfc .*: "StatefulPartitionedCall\/.*Erfc"/,
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

/** Loads the model in `folder` as any TensorFlow.js program would, and runs it once. */
function run(folder: string, inputs: Tensors): Promise<Tensors> {
  return runWith(folder, inputs, async (model, fed, names) => model.execute(fed, names));
}

/** The same for models with loops, branches or tables. */
function runAsync(folder: string, inputs: Tensors): Promise<Tensors> {
  return runWith(folder, inputs, (model, fed, names) => model.executeAsync(fed, names));
}

async function runWith(
  folder: string,
  inputs: Tensors,
  execute: (model: tf.GraphModel, fed: tf.NamedTensorMap, names: string[]) => Promise<tf.Tensor | tf.Tensor[]>,
): Promise<Tensors> {
  const text = await readFile(join(folder, "model.json"), "utf8");
  const manifest = parseManifest(text);
  const model = await tf.loadGraphModel({ load: () => loadArtifacts(folder, text) });
  const fed = Object.entries(inputs).map(([key, tensor]) => [manifest.inputNames[key] ?? key, toTfjs(tensor)] as const);
  const keys = Object.keys(manifest.outputNames);
  const results = await execute(
    model,
    Object.fromEntries(fed),
    keys.map((key) => manifest.outputNames[key] ?? key),
  );
  const list = Array.isArray(results) ? results : [results];
  return Object.fromEntries(keys.map((key, index) => [key, fromTfjs(manifest, key, list[index])]));
}

async function loadArtifacts(folder: string, text: string): Promise<tf.io.ModelArtifacts> {
  const { modelTopology, signature, weightsManifest, ...rest } = JSON.parse(text);
  const [group] = weightsManifest;
  const shards: Buffer[] = await Promise.all(group.paths.map((path: string) => readFile(join(folder, path))));
  const weightData = new Uint8Array(Buffer.concat(shards)).buffer;
  return { ...rest, modelTopology, signature, weightSpecs: group.weights, weightData };
}

function toTfjs({ dtype, shape, data }: Tensor): tf.Tensor {
  if (dtype === "string") return tf.tensor([...(data as readonly string[])], [...shape], dtype);
  if (dtype === "int64") return tf.tensor(Int32Array.from(data as BigInt64Array, Number), [...shape], "int32");
  if (dtype !== "float32" && dtype !== "int32" && dtype !== "bool") throw new Error(`no test feeds ${dtype}`);
  return tf.tensor(data as Float32Array | Int32Array | Uint8Array, [...shape], dtype); // by the dtype
}

function fromTfjs({ signature }: Manifest, key: string, tensor: tf.Tensor | undefined): Tensor {
  const dtype = signature.outputs[key]?.dtype;
  if (dtype === undefined || tensor === undefined) throw new Error(`output "${key}": the model returned none`);
  const data = tensor.dataSync();
  if (dtype === "int64") return { dtype, shape: tensor.shape, data: BigInt64Array.from(data, BigInt) };
  return { dtype, shape: tensor.shape, data: data as Tensor["data"] }; // the array of the same dtype
}
