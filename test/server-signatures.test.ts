import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DType, encodeText, type Tensor, type Tensors } from "@nearside/core";
import { expectClose } from "@nearside/core/testing";
import { createServer, type InferenceServer, type ServerEvent } from "@nearside/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeProto } from "../packages/server/src/protobuf/codec.ts";
import { fromTensorProto, toTensorProto } from "../packages/server/src/protobuf/tensor-proto.ts";
import { grpcClient } from "../packages/server/testing/grpc-client.ts";
import { fixturesRoot } from "./fixtures.ts";
import { type GoldenCase, parseGolden } from "./golden.ts";

/** SavedModels with several signatures, also of serialized tf.Examples, served as they are: case E of the list. */
const models = {
  half_plus_two: "serving-half-plus-two-cpu",
  half_plus_two_tf2: "serving-half-plus-two-tf2",
  half_plus_three: "serving-half-plus-three",
  taxi: "tfx-taxi-estimator-serving-2022",
  counter: "serving-counter",
} as const;

let folder: string;
let server: InferenceServer | undefined;
let client: ReturnType<typeof grpcClient>;
const events: ServerEvent[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-signatures-"));
  if (fixturesRoot === undefined) return;
  for (const [name, fixture] of Object.entries(models)) {
    await cp(join(fixturesRoot, "public", fixture, "saved_model"), join(folder, name, "123"), { recursive: true });
  }
  server = createServer({
    models: Object.keys(models).map((name) => ({ name, basePath: join(folder, name) })),
    ...{ host: "127.0.0.1", restPort: 0, grpcPort: 0, cacheDir: join(folder, "cache"), maxLoadRetries: 0 },
    onEvent: (event) => events.push(event),
  });
  await server.listen();
  client = grpcClient(server.grpcAddress as string); // it listens
});
afterAll(async () => {
  client?.close();
  await server?.close();
  await rm(folder, { recursive: true });
});

const absent = "the fixtures (../shared/fixtures) are not here";

/** TensorFlow's results of a fixture; those of tf.Examples lie in the project. */
async function goldenOf(model: keyof typeof models): Promise<readonly GoldenCase[]> {
  const own = new URL(`golden/${models[model]}.json`, import.meta.url);
  const beside = join(fixturesRoot ?? "", "public", models[model], "golden.json");
  return parseGolden(await readFile(model === "taxi" ? own : beside, "utf8"));
}

async function post(path: string, body: object) {
  const response = await fetch(`${server?.url}${path}`, { method: "POST", body: JSON.stringify(body) });
  return { status: response.status, answer: await response.json() };
}

/** A tensor as REST has it: nested lists, strings as base64. */
function toJson({ shape, data }: Tensor): unknown {
  const items = Array.from(data as Iterable<unknown>, (item) =>
    typeof item === "string" ? { b64: Buffer.from(encodeText(item)).toString("base64") } : Number(item),
  );
  return shape.reduceRight<unknown[]>((list, size) => {
    return Array.from({ length: list.length / size }, (_, at) => list.slice(at * size, (at + 1) * size));
  }, items)[0];
}

function fromJson(value: unknown, { dtype, shape, data }: Tensor): Tensor {
  const items = [value].flat(Number.POSITIVE_INFINITY);
  if (dtype === "string") return { dtype, shape, data: items as string[] };
  const Data = data.constructor as unknown as { from(items: unknown[]): Tensor["data"] };
  const parsed = dtype === "int64" ? items.map((item) => BigInt(item as number)) : items;
  return { dtype: dtype as DType, shape, data: Data.from(parsed) } as Tensor;
}

describe.each(["half_plus_two", "half_plus_two_tf2", "taxi"] as const)("E %s", (model) => {
  test("gives TensorFlow's results for every signature, over REST and gRPC", async (ctx) => {
    if (!server) return ctx.skip(absent);
    const cases = await goldenOf(model);
    expect(cases.length).toBeGreaterThan(0);
    for (const { signature, inputs, outputs } of cases) {
      const columns = Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, toJson(tensor)]));
      const { status, answer } = await post(`/v1/models/${model}:predict`, {
        signature_name: signature,
        inputs: columns,
      });
      expect([status, answer.error]).toEqual([200, undefined]);
      const names = Object.keys(outputs);
      const results = names.length === 1 ? { [names[0] as string]: answer.outputs } : answer.outputs;
      const overRest = Object.fromEntries(
        names.map((name) => [name, fromJson(results[name], outputs[name] as Tensor)]),
      );
      expectClose(overRest, outputs);
      const request = {
        modelSpec: { name: model, signatureName: signature },
        inputs: new Map(Object.entries(inputs).map(([name, tensor]) => [name, toTensorProto(tensor)])),
      };
      const { response } = await client.call("tensorflow.serving.PredictionService", "Predict", request);
      const overGrpc = [...response.outputs].map(([name, proto]) => [name, fromTensorProto(proto, name)]);
      expectClose(Object.fromEntries(overGrpc) as Tensors, outputs);
    }
  });
});

test.for([
  ["half_plus_two", [2.5, 3, 4.5]],
  ["half_plus_three", [3.5, 4, 5.5]],
] as const)("E %s answers TensorFlow Serving's first example", async ([model, predictions], ctx) => {
  if (!server) return ctx.skip(absent);
  const { answer } = await post(`/v1/models/${model}:predict`, { instances: [1, 2, 5] });
  expect(answer).toEqual({ predictions });
});

describe("E tf.Examples", () => {
  test("of one feature are regressed by half_plus_two", async (ctx) => {
    if (!server) return ctx.skip(absent);
    const body = { signature_name: "regress_x_to_y", examples: [{ x: 1.5 }, { x: [2.5] }] };
    expect((await post("/v1/models/half_plus_two:regress", body)).answer).toEqual({ results: [2.75, 3.25] });
  });

  test("are classified and regressed, over REST and gRPC, with one result", async (ctx) => {
    if (!server) return ctx.skip(absent);
    const cases = await goldenOf("taxi");
    const classification = cases.find(({ signature }) => signature === "classification") as GoldenCase; // it has one
    const regression = cases.find(({ signature }) => signature === "regression") as GoldenCase; // it has one
    const texts = (classification.inputs.inputs as Tensor<"string">).data; // serialized
    const examples = texts.map((text) => decodeProto("tensorflow.Example", encodeText(text), "golden"));
    const call = (method: "Classify" | "Regress", signatureName: string) =>
      client.call("tensorflow.serving.PredictionService", method, {
        modelSpec: { name: "taxi", signatureName },
        input: { exampleList: { examples } },
      });
    const classified = (await call("Classify", "classification")).response.result.classifications;
    const scores = classified.flatMap(({ classes }: { classes: { score: number }[] }) =>
      classes.map(({ score }) => score),
    );
    const expected = classification.outputs.scores as Tensor<"float32">;
    expectClose({ scores: { ...expected, data: Float32Array.from(scores) } }, { scores: expected });
    const regressed = (await call("Regress", "regression")).response.result.regressions;
    const values = Float32Array.from(regressed, ({ value }: { value: number }) => value);
    const wanted = regression.outputs.outputs as Tensor<"float32">;
    expectClose({ outputs: { ...wanted, data: values } }, { outputs: wanted });

    const json = examples.map(({ features }) => {
      const entries = [...(features?.feature ?? [])].map(([name, { bytesList, floatList, int64List }]) => [
        name,
        bytesList?.value.map((bytes) => ({ b64: Buffer.from(bytes).toString("base64") })) ??
          floatList?.value.map(toFloatText) ??
          int64List?.value.map(Number) ??
          [],
      ]);
      return Object.fromEntries(entries);
    });
    const body = JSON.stringify({ signature_name: "regression", examples: json }).replaceAll(/"float (.*?)"/g, "$1");
    const reply = await fetch(`${server.url}/v1/models/taxi:regress`, { method: "POST", body });
    const { results } = await reply.json();
    expectClose({ outputs: { ...wanted, data: Float32Array.from(results) } }, { outputs: wanted });
  });
});

/** A number that JSON is to have as a decimal, so that it is a float feature. */
function toFloatText(value: number): string {
  return `float ${Number.isInteger(value) ? value.toFixed(1) : value}`;
}

test("E a signature that changes what others read is refused by itself", async (ctx) => {
  if (!server) return ctx.skip(absent);
  const refused = events.filter(({ type }) => type === "refused");
  expect(refused.map((event) => "signature" in event && event.signature).sort()).toEqual([
    "incr_counter",
    "incr_counter_by",
    "reset_counter",
  ]);
  const { status, answer } = await post("/v1/models/counter:predict", { signature_name: "incr_counter", inputs: {} });
  expect([status, answer.error]).toEqual([501, expect.stringContaining("export it as the model's only signature")]);
  expect((await post("/v1/models/counter:predict", { signature_name: "get_counter", inputs: {} })).answer).toEqual({
    outputs: 0,
  });
});
