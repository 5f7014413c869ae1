import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { helpText, parseFlags } from "./flags.ts";

describe("parseFlags", () => {
  test("reads TensorFlow Serving's flags, and its defaults", () => {
    expect(parseFlags(["--model_base_path=/models/half"])).toEqual({
      run: "serve",
      notices: [],
      options: {
        models: [{ name: "default", basePath: "/models/half" }],
        backend: "auto",
        restPort: 8501,
        corsOrigins: [],
      },
    });
  });

  test("reads every flag of its own", () => {
    const args = ["--model_name=m", "--model_base_path", "m", "--rest_api_port=0", "--host=127.0.0.1"];
    const command = parseFlags([...args, "--backend=cpu", "--cors_origins=https://a,https://b", "--cache_dir=c"]);
    expect(command).toMatchObject({
      options: {
        models: [{ name: "m", basePath: "m" }],
        restPort: 0,
        host: "127.0.0.1",
        backend: "cpu",
        corsOrigins: ["https://a", "https://b"],
        cacheDir: "c",
      },
    });
  });

  test.each([
    ["--rest_api_enable_cors_support", ["*"]],
    ["--rest_api_enable_cors_support=true", ["*"]],
    ["--rest_api_enable_cors_support=false", []],
  ])("takes %s as TensorFlow Serving does", (flag, corsOrigins) => {
    expect(parseFlags(["--model_base_path=m", flag])).toMatchObject({ options: { corsOrigins } });
  });

  test("tells of flags without effect and of unknown ones", () => {
    const command = parseFlags(["--model_base_path=m", "--grpc_max_threads=4", "--port=8500", "--colour=red"]);
    expect(command).toMatchObject({
      notices: [
        "--grpc_max_threads: accepted, no effect yet",
        "--port: accepted, no effect yet",
        "--colour: unknown flag, ignored; see --help",
      ],
    });
  });

  test.each([
    [[], "--model_base_path: expected the folder of a model, got nothing; see --help"],
    [["--model_base_path=m", "--backend=cuda"], "--backend: expected auto, wasm, webgpu, cpu, got cuda"],
    [["--model_base_path=m", "--rest_api_port=-1"], "--rest_api_port: expected a number from 0 to 65535"],
  ])("refuses %j", (args, message) => {
    expect(() => parseFlags(args)).toThrow(message);
  });

  test("reads how backends run, and TensorFlow Serving's batching parameters", async () => {
    const folder = await mkdtemp(join(tmpdir(), "nearside-flags-"));
    const path = join(folder, "batching.config");
    await writeFile(path, "max_batch_size { value: 4 }");
    const args = ["--instance_count=2", "--backend_memory_limit_mb=512", "--enable_batching=true"];
    const command = parseFlags(["--model_base_path=m", ...args, `--batching_parameters_file=${path}`]);
    await rm(folder, { recursive: true });
    const batching = { maxBatchSize: 4, allowedBatchSizes: [], padVariableLengthInputs: false };
    expect(command).toMatchObject({ options: { instanceCount: 2, memoryLimitBytes: 512e6, batching } });
    expect(parseFlags(["--model_base_path=m", "--enable_batching"])).toMatchObject({ options: { batching: {} } });
  });

  test.each([
    [["--batching_parameters_file=b"], "--batching_parameters_file: expected --enable_batching as well"],
    [["--enable_batching", "--batching_parameters_file=/no/such/file"], "expected a file that can be read"],
    [["--instance_count=0"], "--instance_count: expected a whole number from 1, got 0"],
  ])("refuses how backends are to run: %j", (args, message) => {
    expect(() => parseFlags(["--model_base_path=m", ...args])).toThrow(message);
  });

  test("knows --help and --version", () => {
    expect(parseFlags(["--help"])).toEqual({ run: "help" });
    expect(parseFlags(["--version"])).toEqual({ run: "version" });
    expect(helpText()).toContain("--model_base_path=FOLDER");
  });
});
