import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { version } from "@nearside/converter";
import { describe, expect, onTestFinished, test } from "vitest";
import { encodeZip } from "../converter/testing/encode-archive.ts";
import { fixturesRoot } from "./fixtures.ts";

const bin = fileURLToPath(new URL("../converter/bin/convert.js", import.meta.url));
const digits = fileURLToPath(new URL("../examples/models/digits/saved_model", import.meta.url));
const linearRegression = fileURLToPath(new URL("../examples/models/linear-regression/saved_model", import.meta.url));
const linearRegressionGolden = fileURLToPath(
  new URL("../examples/models/linear-regression/golden.json", import.meta.url),
);
const absent = "the fixtures (../shared/fixtures) are not here";

describe("npx convert", () => {
  test("writes a model and exits with 0", async () => {
    const output = join(await temporaryFolder(), "out");
    const { code, stdout } = await runCli(digits, output, "--quantize-uint8");
    expect(code).toBe(0);
    expect(stdout).toContain("input      image: float32 [?,28,28,1]");
    expect(await readdir(output)).toContain("model.json");
  });

  test("prints nothing but one line of JSON with --json", async () => {
    const output = join(await temporaryFolder(), "out");
    const { stdout } = await runCli(digits, output, "--json");
    expect(stdout.trimEnd().split("\n")).toHaveLength(1);
    expect(JSON.parse(stdout)).toMatchObject({ signatureName: "serving_default", notices: [], gaps: { webgpu: [] } });
    expect(JSON.parse(stdout)).not.toHaveProperty("details");
  });

  test("writes a page about the conversion with --report", async () => {
    const folder = await temporaryFolder();
    const { code, stdout } = await runCli(digits, join(folder, "out"), `--report=${join(folder, "report.html")}`);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining("backends   webgpu, webgl") });
    expect(await readFile(join(folder, "report.html"), "utf8")).toContain("<h2>What stayed unfused, and why</h2>");
  });

  test.each([
    ["in the output folder", "out/report.html", "outside the output folder"],
    ["in a folder that isn't there", "absent/report.html", "in a folder that is there"],
  ])("writes nothing if the report is to be %s", async (_, file, message) => {
    const folder = await temporaryFolder();
    const { code, stderr } = await runCli(digits, join(folder, "out"), `--report=${join(folder, file)}`);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
    expect(await readdir(folder)).toEqual([]);
  });

  test("puts JSON files into the metadata", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "card.json"), '{"licence": "CC0"}');
    await runCli(digits, join(folder, "out"), `--metadata=card:${join(folder, "card.json")}`);
    const model = JSON.parse(await readFile(join(folder, "out/model.json"), "utf8"));
    expect(model.userDefinedMetadata).toEqual({ card: { licence: "CC0" } });
  });

  test("converts all signatures, each into its folder, again and again", async (ctx) => {
    if (fixturesRoot === undefined) return ctx.skip(absent);
    const input = join(fixturesRoot, "made/multi_signature/saved_model");
    const output = join(await temporaryFolder(), "out");
    for (const _ of [1, 2]) expect(await runCli(input, output, "--all-signatures")).toHaveProperty("code", 0);
    expect(await readdir(output)).toEqual(["decode", "encode", "serving_default"]);
    const model = JSON.parse(await readFile(join(output, "serving_default/model.json"), "utf8"));
    expect(model.userDefinedMetadata.structuredOutputKeys).toEqual(["error", "reconstruction"]);
  });

  test("writes none of the signatures if one can't be converted", async (ctx) => {
    if (fixturesRoot === undefined) return ctx.skip(absent);
    const folder = await temporaryFolder();
    const input = join(fixturesRoot, "public/tfdf-adult-random-forest/saved_model");
    expect(await runCli(input, join(folder, "out"), "--all-signatures")).toHaveProperty("code", 1);
    expect(await readdir(folder)).toEqual([]);
  });

  test("converts ops that TensorFlow.js lacks with --skip_op_check, and says which", async (ctx) => {
    if (fixturesRoot === undefined) return ctx.skip(absent);
    const input = join(fixturesRoot, "public/tfdf-adult-random-forest/saved_model");
    const { code, stdout } = await runCli(input, join(await temporaryFolder(), "out"), "--skip_op_check");
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("TensorFlow.js has no such op"),
    });
  });

  test("converts an archive as it does its folder", async () => {
    const folder = await temporaryFolder();
    const files: Record<string, Uint8Array> = {};
    for (const name of await readdir(digits, { recursive: true })) {
      const path = join(digits, name);
      if ((await stat(path)).isFile()) files[`digits/${name.replaceAll("\\", "/")}`] = await readFile(path);
    }
    await writeFile(join(folder, "digits.zip"), encodeZip(files));
    const fromZip = await runCli(join(folder, "digits.zip"), join(folder, "zip"), "--json");
    const fromFolder = await runCli(digits, join(folder, "folder"), "--json");
    expect(fromZip).toMatchObject({ code: 0, stdout: fromFolder.stdout });
  });

  test("writes a converted model anew with --input_format=tfjs_graph_model", async () => {
    const folder = await temporaryFolder();
    await runCli(digits, join(folder, "plain"));
    const args = ["--input_format=tfjs_graph_model", "--quantize_float16", "--json"];
    const { stdout } = await runCli(join(folder, "plain/model.json"), join(folder, "small"), ...args);
    expect(JSON.parse(stdout)).toMatchObject({ weightBytes: 117212 });
  });

  test("verifies what it wrote, on random inputs and beside golden values", async () => {
    const output = join(await temporaryFolder(), "out");
    const random = await runCli(linearRegression, output, "--verify");
    expect(random).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/verified {3}3 runs on random inputs, on wasm/),
    });
    const golden = await runCli(linearRegression, output, "--verify", linearRegressionGolden, "--json");
    const { verification } = JSON.parse(golden.stdout);
    expect(verification).toMatchObject({ inputs: "golden", isOff: false, golden: { output_0: {} } });
    expect(verification.golden.output_0.maxRelative).toBeLessThan(1e-5);
  });

  test("exits with 1 where golden values are missed, having written the model", async () => {
    const folder = await temporaryFolder();
    const golden = JSON.parse(await readFile(linearRegressionGolden, "utf8"));
    const [output] = Object.values<{ b64: string }>(golden.cases[0].outputs);
    if (output === undefined) throw new Error("the golden case has no output");
    output.b64 = Buffer.from(new Uint8Array(Buffer.from(output.b64, "base64").length)).toString("base64");
    await writeFile(join(folder, "wrong.json"), JSON.stringify(golden));
    const { code, stdout, stderr } = await runCli(
      linearRegression,
      join(folder, "out"),
      `--verify=${join(folder, "wrong.json")}`,
    );
    expect(code).toBe(1);
    expect(stdout).toContain("off by more than it may");
    expect(stderr).toContain("the outputs are off");
    expect(await readdir(join(folder, "out"))).toContain("model.json");
  });

  test("says what to install where there is no runtime to verify with", async () => {
    const folder = await temporaryFolder();
    const installed = join(folder, "node_modules/@nearside");
    for (const [name, place] of [["converter", "../converter"] as const, ["core", "../packages/core"] as const]) {
      for (const part of ["package.json", "dist", ...(name === "converter" ? ["bin", "bundle"] : [])]) {
        const source = fileURLToPath(new URL(`${place}/${part}`, import.meta.url));
        await cp(source, join(installed, name, part), { recursive: true });
      }
    }
    const command = join(installed, "converter/bin/convert.js");
    const plain = await runNode(command, linearRegression, join(folder, "out"));
    expect(plain).toHaveProperty("code", 0);
    const { code, stderr } = await runNode(command, linearRegression, join(folder, "verified"), "--verify");
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("npm install @nearside/runtime") });
    expect(await readdir(folder)).not.toContain("verified");
  });

  test("finds the types of weights with --quantize auto", async () => {
    const output = join(await temporaryFolder(), "out");
    const { code, stdout } = await runCli(digits, output, "--quantize=auto", "--max-error", "0.1", "--json");
    const { chosenDTypes, needsOwnRuntime } = JSON.parse(stdout);
    expect({ code, needsOwnRuntime }).toEqual({ code: 0, needsOwnRuntime: true });
    expect(chosenDTypes).toMatchObject({ maxError: 0.1, evaluations: 1 });
  });

  test("exits with 1 where the model can't be converted", async () => {
    const folder = await temporaryFolder();
    const { code, stderr } = await runCli(folder, join(folder, "out"));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("saved_model.pb: no such file") });
  });

  test("exits with 2 where the command makes no sense", async () => {
    const { code, stderr } = await runCli("--quantize_uint8", digits, "out");
    expect(code).toBe(2);
    expect(stderr).toContain("put that flag after the paths");
  });

  test("prints its version", async () => {
    expect(await runCli("-v")).toMatchObject({ code: 0, stdout: `${version}\n` });
  });
});

describe("npx convert inspect", () => {
  test("says what a model has", async () => {
    const { code, stdout } = await runCli("inspect", digits);
    expect(code).toBe(0);
    expect(stdout).toContain("input      image: float32 [?,28,28,1]");
    expect(stdout).toContain("variables  14 (234408 bytes)");
    expect(stdout).toContain("backends   webgpu, webgl, wasm, cpu");
    expect(stdout).toContain("converts   yes");
  });

  test("says that backends lack nothing which Nearside's runtime computes itself", async (ctx) => {
    if (fixturesRoot === undefined) return ctx.skip(absent);
    const model = join(fixturesRoot, "made/complex_fft/saved_model");
    const { stdout } = await runCli("inspect", model);
    expect(stdout).toContain("backends   webgpu, webgl, wasm, cpu");
    const { graphs } = JSON.parse((await runCli("inspect", model, "--json")).stdout);
    const [fft2d] = graphs[0].signatures.filter(({ name }: { name: string }) => name === "fft2d");
    expect(fft2d.gaps).toEqual({ webgpu: [], webgl: [], wasm: [], cpu: [] });
  });

  test("says what can't be converted, as JSON", async (ctx) => {
    if (fixturesRoot === undefined) return ctx.skip(absent);
    const { stdout } = await runCli(
      "inspect",
      join(fixturesRoot, "public/tfdf-adult-random-forest/saved_model"),
      "--json",
    );
    const { graphs } = JSON.parse(stdout);
    expect(graphs[0]).toMatchObject({ tags: ["serve"] });
    const problems = graphs[0].signatures.flatMap((signature: { problems: unknown[] }) => signature.problems);
    expect(problems).toContainEqual(expect.objectContaining({ problem: "TensorFlow.js has no such op" }));
  });
});

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nearside-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function runCli(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return runNode(bin, ...args);
}

function runNode(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}
