import { execFile } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createServer, type InferenceServer } from "@nearside/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fixturesRoot } from "./fixtures.ts";

/**
 * Clients that others wrote, unmodified. A Python that has tensorflow and tensorflow-serving-api, tritonclient[all] or
 * kserve is named by NEARSIDE_TEST_PYTHON, grpcurl by NEARSIDE_TEST_GRPCURL; else those in PATH are asked.
 */
const python = process.env.NEARSIDE_TEST_PYTHON ?? "python3";
const grpcurl = process.env.NEARSIDE_TEST_GRPCURL ?? "grpcurl";
const run = promisify(execFile);

const works = (command: string, ...args: string[]) =>
  run(command, args).then(
    () => true,
    () => false,
  );
const has = {
  tensorflow_serving: await works(python, "-c", "import tensorflow, tensorflow_serving.apis.predict_pb2"),
  triton: await works(python, "-c", "import tritonclient.http, tritonclient.grpc"),
  kserve: await works(python, "-c", "import kserve"),
  grpcurl: await works(grpcurl, "-version"),
};
const absent = "the fixtures (../shared/fixtures) are not here";

let folder: string;
let server: InferenceServer | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-clients-"));
  if (fixturesRoot === undefined) return;
  const source = join(fixturesRoot, "public/serving-half-plus-two-cpu/saved_model");
  await cp(source, join(folder, "half", "00000123"), { recursive: true });
  server = createServer({
    models: [{ name: "half", basePath: join(folder, "half") }],
    ...{ host: "127.0.0.1", restPort: 0, grpcPort: 0, cacheDir: join(folder, "cache"), allowModelControl: true },
  });
  await server.listen();
});
afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true });
});

/** What a script in clients/ prints of the server's answers. */
async function ask(script: string, ...args: string[]) {
  const path = fileURLToPath(new URL(`clients/ask_${script}.py`, import.meta.url));
  const { stdout } = await run(python, [path, ...args]);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

const skipped = (client: string) => `${client} is not here; see the top of this file`;

describe("unmodified clients", () => {
  test("E tensorflow-serving-api over gRPC", async (ctx) => {
    if (!server) return ctx.skip(absent);
    if (!has.tensorflow_serving) return ctx.skip(skipped("tensorflow-serving-api"));
    const answers = await ask("tensorflow_serving", server.grpcAddress as string, join(folder, "half"));
    expect(answers).toMatchObject({
      predict: [[2.5], [3]],
      version: 123,
      flat: [2.5, 3, 4.5],
      classify: { classifications: [{ classes: [{ score: 2.5 }] }, { classes: [{ score: 3 }] }] },
      regress: { regressions: [{ value: 3.5 }, { value: 5 }] },
      multi_inference: {
        results: [
          { regression_result: { regressions: [{ value: 3 }] } },
          { classification_result: { classifications: [{ classes: [{ score: 3 }] }] } },
        ],
      },
      metadata: {
        signature_def: {
          serving_default: {
            inputs: { x: { name: "x:0", dtype: "DT_FLOAT" } },
            method_name: "tensorflow/serving/predict",
          },
          regress_x_to_y: { inputs: { inputs: { dtype: "DT_STRING" } }, method_name: "tensorflow/serving/regress" },
          classify_x_to_y: { method_name: "tensorflow/serving/classify" },
        },
      },
      status: { model_version_status: [{ version: "123", state: "AVAILABLE" }] },
      reload: { status: {} },
      reloaded: { model_version_status: [{ version: "123", state: "AVAILABLE" }] },
      errors: {
        FAILED_PRECONDITION: 'Serving signature key "none" not found.',
        NOT_FOUND: "Servable not found for request: Latest(none)",
      },
    });
  });

  test("E tritonclient over HTTP, binary and JSON, and over gRPC", async (ctx) => {
    if (!server) return ctx.skip(absent);
    if (!has.triton) return ctx.skip(skipped("tritonclient"));
    const { http, grpc } = await ask("triton", new URL(server.url as string).host, server.grpcAddress as string);
    const y = [[2.5], [3]];
    const both = { ready: [true, true, true], "all outputs": y, "one output": y, loaded: true };
    expect(http).toMatchObject({ ...both, json: y, gzip: y, metadata: { name: "half", versions: ["123"] } });
    expect(http.statistics).toBeGreaterThanOrEqual(4);
    expect(http.unloaded).toContain('model "half" is not on this server');
    expect(grpc).toMatchObject({ ...both, metadata: { name: "half", inputs: [{ name: "x", datatype: "FP32" }] } });
    expect(grpc.index).toContainEqual(["half", "READY"]);
    expect(grpc.unloaded).toContain('model "half" is not on this server');
  });

  test("E KServe's clients over REST, v1 and v2, and over gRPC", async (ctx) => {
    if (!server) return ctx.skip(absent);
    if (!has.kserve) return ctx.skip(skipped("kserve"));
    const answers = await ask("kserve", server.url as string, server.grpcAddress as string);
    const y = [[2.5], [3]];
    const expected = { v1: { predictions: [2.5, 3] }, "v2 binary": y, "v2 JSON": y, grpc: y };
    expect(answers).toEqual({ ...expected, ready: [true, true, true, true, true] });
  });

  test("E grpcurl, by reflection", async (ctx) => {
    if (!server) return ctx.skip(absent);
    if (!has.grpcurl) return ctx.skip(skipped("grpcurl"));
    const address = server.grpcAddress as string;
    const call = async (...args: string[]) => (await run(grpcurl, ["-plaintext", "-max-time", "20", ...args])).stdout;
    expect(await call(address, "list")).toContain("tensorflow.serving.PredictionService\n");
    expect(await call(address, "describe", "tensorflow.TensorProto")).toContain(".tensorflow.DataType dtype = 1;");
    const x = { dtype: "DT_FLOAT", tensor_shape: { dim: [{ size: 1 }, { size: 1 }] }, float_val: [3] };
    const request = { model_spec: { name: "half" }, inputs: { x } };
    const predict = "tensorflow.serving.PredictionService/Predict";
    const answer = JSON.parse(await call("-d", JSON.stringify(request), address, predict));
    expect(answer).toMatchObject({ outputs: { y: { float_val: [3.5] } }, model_spec: { version: "123" } });
    const metadata = { model_spec: { name: "half" }, metadata_field: ["signature_def"] };
    const signatures = await call(
      "-d",
      JSON.stringify(metadata),
      address,
      "tensorflow.serving.PredictionService/GetModelMetadata",
    );
    expect(signatures).toContain('"method_name": "tensorflow/serving/regress"');
    expect(JSON.parse(await call(address, "grpc.health.v1.Health/Check"))).toEqual({ status: "SERVING" });
  });
});
