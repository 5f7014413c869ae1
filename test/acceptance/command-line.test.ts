// The Python converter's tests of its command line, restated. Elsewhere, in ../convert-cli.test.ts: the version, a
// missing path, all signatures, metadata, archives, a converted model written anew; in converter/src/cli: each flag.
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { encodeConstant, encodeGraph, encodeNode, encodePlaceholder } from "../../converter/testing/encode-graph.ts";
import { fixturesRoot } from "../fixtures.ts";
import { type ModelJson, temporaryFolder } from "./converted.ts";

const bin = fileURLToPath(new URL("../../converter/bin/convert.js", import.meta.url));
const digits = fileURLToPath(new URL("../../examples/models/digits/saved_model", import.meta.url));

describe("npx convert", () => {
  test("says --input_format where the format isn't one", async () => {
    const { code, stderr } = await runCli(digits, "out", "--input_format=caffe");
    expect(code).toBe(2);
    expect(stderr).toContain("--input_format: expected tf_saved_model or tf_frozen_model or tfjs_graph_model");
  });

  test.each(["keras", "keras_keras", "tfjs_layers_model", "keras_saved_model", "tf_hub"])(
    "refuses --input_format=%s with what to do instead",
    async (format) => {
      const folder = await temporaryFolder();
      const { code, stderr } = await runCli(digits, join(folder, "out"), `--input_format=${format}`);
      expect(code).toBe(2);
      expect(stderr).toMatch(/export|tf_saved_model/);
      expect(await readdir(folder)).toEqual([]);
    },
  );

  test("refuses --output_format=tfjs_layers_model with what to do instead", async () => {
    const { code, stderr } = await runCli(digits, "out", "--output_format=tfjs_layers_model");
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("use tfjs_graph_model") });
  });

  test("refuses an output that is a file, and leaves it", async () => {
    const output = join(await temporaryFolder(), "out");
    await writeFile(output, "mine");
    const { code, stderr } = await runCli(digits, output);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("it is a file") });
    expect(await readFile(output, "utf8")).toBe("mine");
  });

  test("makes the folders that the output is in", async () => {
    const output = join(await temporaryFolder(), "a/b/out");
    expect(await runCli(digits, output)).toHaveProperty("code", 0);
    expect(await readdir(output)).toContain("model.json");
  });

  test("writes shards of the size that is asked for", async () => {
    const { output } = await run("--weight_shard_size_bytes=20000");
    const { shards } = (await readJson(output)).weightsManifest[0] ?? { shards: [] };
    expect(shards.length).toBeGreaterThan(10);
    for (const { bytes } of shards) expect(bytes).toBeLessThanOrEqual(20_000);
  });

  test.each([
    ["--quantization_bytes=2", "uint16"],
    ["--quantization_bytes=1", "uint8"],
    ["--quantize_uint16=*", "uint16"],
    ["--quantize_float16", "float16"],
  ])("quantises with %s", async (flag, dtype) => {
    const { output } = await run(flag);
    const weights = (await readJson(output)).weightsManifest[0]?.weights ?? [];
    const floats = weights.filter((weight) => weight.dtype === "float32");
    expect(new Set(floats.map(({ quantization }) => quantization?.dtype))).toEqual(new Set([dtype]));
  });

  test("converts a frozen graph", async () => {
    const folder = await temporaryFolder();
    const nodes = [encodePlaceholder("x", [-1, 2]), encodeConstant("w", "float32", [2, 1], [1, 2])];
    await writeFile(join(folder, "frozen.pb"), encodeGraph(...nodes, encodeNode("y", "MatMul", ["x", "w"])));
    const args = ["--input_format=tf_frozen_model", "--output_node_names=y"];
    expect(await runCli(join(folder, "frozen.pb"), join(folder, "out"), ...args)).toHaveProperty("code", 0);
    expect((await readJson(join(folder, "out"))).signature.outputs).toHaveProperty("y");
  });

  test("says which signatures there are where one isn't", async () => {
    const folder = await temporaryFolder();
    const { code, stderr } = await runCli(digits, join(folder, "out"), "--signature_name=predict");
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('"serving_default"') });
    expect(await readdir(folder)).toEqual([]);
  });

  test("converts a TensorFlow 1 SavedModel", async (ctx) => {
    if (fixturesRoot === undefined) return ctx.skip("the fixtures (../shared/fixtures) are not here");
    const output = join(await temporaryFolder(), "out");
    expect(await runCli(join(fixturesRoot, "made/tf1_resource/saved_model"), output)).toHaveProperty("code", 0);
  });

  test("writes the same bytes in another process, from another folder", async () => {
    const [first, second] = [await run("--weight_shard_size_bytes=50000"), await temporaryFolder()];
    await mkdir(join(second, "elsewhere"));
    const args = [digits, join(second, "elsewhere/model"), "--weight_shard_size_bytes=50000"];
    expect(await runCli(...args)).toHaveProperty("code", 0);
    const names = (await readdir(first.output)).sort();
    expect((await readdir(join(second, "elsewhere/model"))).sort()).toEqual(names);
    for (const name of names) {
      const bytes = await readFile(join(second, "elsewhere/model", name));
      expect(bytes.equals(await readFile(join(first.output, name)))).toBe(true);
    }
  });
});

/** Converts the digits, which must work. */
async function run(...flags: readonly string[]): Promise<{ readonly output: string }> {
  const output = join(await temporaryFolder(), "out");
  expect(await runCli(digits, output, ...flags)).toHaveProperty("code", 0);
  return { output };
}

async function readJson(folder: string): Promise<ModelJson> {
  return JSON.parse(await readFile(join(folder, "model.json"), "utf8")) as ModelJson; // as the converter writes it
}

function runCli(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [bin, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}
