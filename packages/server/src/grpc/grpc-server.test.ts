import { encodeText, InferenceError, type Tensor } from "@nearside/core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { fakeRepository, fakeSession } from "../../testing/fake-repository.ts";
import { type Answer, grpcClient } from "../../testing/grpc-client.ts";
import { decodeProto } from "../protobuf/codec.ts";
import { toTensorProto } from "../protobuf/tensor-proto.ts";
import type { Repository } from "../repository/repository.ts";
import { createGuard } from "../security/guard.ts";
import type { ServerEvent } from "../server-event.ts";
import { createGrpcServer, type GrpcServer } from "./grpc-server.ts";

const x = { dtype: "float32", shape: [null] } as const;
const texts = { dtype: "string", shape: [null] } as const;

/** Called in the middle of a run. */
let duringRun: (signal: AbortSignal | undefined) => Promise<void> | undefined;

const half = {
  ...fakeSession({ inputs: { x }, outputs: { y: x, twice: x } }, () => ({})),
  run: async ({ x }: Record<string, Tensor>, options: { outputs?: readonly string[]; signal?: AbortSignal } = {}) => {
    await duringRun?.(options.signal);
    const { shape, data } = x as Tensor<"float32">; // of the signature
    const outputs = { y: data.map((value) => value / 2 + 2), twice: data.map((value) => value * 2) };
    const wanted = Object.entries(outputs).filter(([name]) => options.outputs?.includes(name) ?? true);
    return Object.fromEntries(
      wanted.map(([name, values]) => [name, { dtype: "float32", shape, data: values } as const]),
    );
  },
};
const regressor = fakeSession({ inputs: { inputs: texts }, outputs: { outputs: x } }, ({ inputs }) => {
  const examples = (inputs as Tensor<"string">).data.map((text) =>
    decodeProto("tensorflow.Example", encodeText(text), "here"),
  );
  const data = Float32Array.from(examples, ({ features }) => features?.feature.get("x")?.floatList?.value[0] ?? -1);
  return { outputs: { dtype: "float32", shape: [data.length], data } };
});
const classifier = fakeSession(
  {
    inputs: { inputs: texts },
    outputs: { classes: { ...texts, shape: [null, null] }, scores: { ...x, shape: [null, null] } },
  },
  ({ inputs }) => {
    const count = inputs?.data.length ?? 0;
    return {
      classes: { dtype: "string", shape: [count, 2], data: Array.from({ length: count }, () => ["cat", "dog"]).flat() },
      scores: { dtype: "float32", shape: [count, 2], data: Float32Array.from({ length: 2 * count }, (_, at) => at) },
    };
  },
);
const broken = fakeSession({ inputs: {}, outputs: {} }, () => {
  throw new InferenceError("internal", "it broke");
});

let server: GrpcServer;
let client: ReturnType<typeof grpcClient>;
let events: ServerEvent[];

/** Lets everyone in. */
const openGuard = (repository: Repository) =>
  createGuard(repository, { tokens: () => undefined, requestsPerSecond: undefined });

beforeAll(async () => {
  events = [];
  const onEvent = (event: ServerEvent) => void events.push(event);
  const repository = fakeRepository(half, { regressor, classifier, broken });
  server = createGrpcServer(repository, {
    allowModelControl: false,
    onEvent,
    onCall: () => {},
    guard: openGuard(repository),
  });
  await server.listen("127.0.0.1", 0);
  client = grpcClient(server.address as string); // it listens
});
afterAll(async () => {
  client.close();
  await server.close();
});

afterEach(() => {
  duringRun = () => undefined;
});

const prediction = "tensorflow.serving.PredictionService";
const modelSpec = { name: "half" };
const tensor = (...values: number[]) =>
  toTensorProto({ dtype: "float32", shape: [values.length], data: Float32Array.from(values) });
const example = (value: number) => ({ features: { feature: new Map([["x", { floatList: { value: [value] } }]]) } });
const predict = (request: object = {}) =>
  client.call(prediction, "Predict", { modelSpec, inputs: new Map([["x", tensor(1, 2)]]), ...request });

describe("PredictionService", () => {
  test("predicts, and tells what answered", async () => {
    const { code, response } = await predict();
    expect(code).toBe(0);
    expect([...response.outputs.keys()]).toEqual(["y", "twice"]);
    expect(response.outputs.get("y")).toMatchObject({
      dtype: 1,
      floatVal: [2.5, 3],
      tensorShape: { dim: [{ size: 2 }] },
    });
    expect(response.modelSpec).toMatchObject({
      name: "half",
      version: { value: 123n },
      signatureName: "serving_default",
    });
  });

  test("computes the outputs that are asked for, of a version or label", async () => {
    for (const choice of [{ version: { value: 123n } }, { versionLabel: "stable" }]) {
      const { response } = await predict({ modelSpec: { name: "half", ...choice }, outputFilter: ["twice"] });
      expect([...response.outputs.keys()]).toEqual(["twice"]);
    }
  });

  test.each<[string, object, number, string]>([
    ["no model", { modelSpec: undefined }, 3, "Missing ModelSpec"],
    ["a model without a name", { modelSpec: {} }, 3, "ModelSpec has no name specified."],
    ["another model", { modelSpec: { name: "m" } }, 5, "Servable not found for request: Latest(m)"],
    [
      "another version",
      { modelSpec: { name: "half", version: { value: 7n } } },
      5,
      "Servable not found for request: Specific(half, 7)",
    ],
    ["another label", { modelSpec: { name: "half", versionLabel: "x" } }, 3, "Unrecognized servable version label: x"],
    [
      "another signature",
      { modelSpec: { name: "half", signatureName: "x" } },
      9,
      'Serving signature key "x" not found.',
    ],
    [
      "no inputs",
      { inputs: new Map() },
      3,
      "input size does not match signature: 0!=1 len({}) != len({x}). Sent extra: {}. Missing but required: {x}.",
    ],
    [
      "another input",
      { inputs: new Map([["z", tensor(1)]]) },
      3,
      "input tensor alias not found in signature: z. Inputs expected to be in the set {x}.",
    ],
    [
      "a broken tensor",
      { inputs: new Map([["x", { dtype: 1, tensorShape: { dim: [{ size: 2 }] }, floatVal: [1, 2, 3] }]]) },
      3,
      'input "x"',
    ],
    [
      "another output",
      { outputFilter: ["z"] },
      3,
      "output tensor alias not found in signature: z Outputs expected to be in the set {y,twice}.",
    ],
    ["an output twice", { outputFilter: ["y", "y"] }, 3, "duplicate output tensor alias: y"],
    [
      "a fault of the server",
      { modelSpec: { name: "half", signatureName: "broken" }, inputs: new Map() },
      13,
      "it broke",
    ],
  ])("tells of %s", async (_what, request, code, details) => {
    const answer = await predict(request);
    expect([answer.code, answer.details]).toEqual([code, expect.stringContaining(details)]);
  });

  test("reports its faults, and no client's", () => {
    expect(events).toMatchObject([{ type: "fault", path: `/${prediction}/Predict`, error: { message: "it broke" } }]);
  });

  test("regresses and classifies examples, and does both at once", async () => {
    const input = { exampleList: { examples: [example(1), example(2.5)] } };
    const regressed = await client.call(prediction, "Regress", {
      modelSpec: { name: "half", signatureName: "regressor" },
      input,
    });
    expect(regressed.response.result.regressions).toEqual([{ value: 1 }, { value: 2.5 }]);
    expect(regressed.response.modelSpec).toMatchObject({ version: { value: 123n }, signatureName: "regressor" });
    const classified = await client.call(prediction, "Classify", {
      modelSpec: { name: "half", signatureName: "classifier" },
      input,
    });
    const classes = (first: number) => ({
      classes: [
        { label: "cat", score: first },
        { label: "dog", score: first + 1 },
      ],
    });
    expect(classified.response.result.classifications).toEqual([classes(0), classes(2)]);
    const task = (signatureName: string, method: string) => ({
      modelSpec: { name: "half", signatureName },
      methodName: `tensorflow/serving/${method}`,
    });
    const tasks = [task("regressor", "regress"), task("classifier", "classify")];
    const { response } = await client.call(prediction, "MultiInference", { tasks, input });
    expect(response.results).toMatchObject([
      { regressionResult: regressed.response.result, classificationResult: undefined },
      { classificationResult: classified.response.result, regressionResult: undefined },
    ]);
    const twice = await client.call(prediction, "MultiInference", { tasks: [tasks[0], tasks[0]], input });
    expect([twice.code, twice.details]).toEqual([3, "Duplicate evaluation of signature: regressor"]);
    const other = await client.call(prediction, "MultiInference", { tasks: [task("regressor", "predict")], input });
    expect([other.code, other.details]).toEqual([12, "Unsupported signature method_name: tensorflow/serving/predict"]);
  });

  test("merges the features that examples share", async () => {
    const input = { exampleListWithContext: { context: example(7), examples: [example(1), {}] } };
    const { response } = await client.call(prediction, "Regress", {
      modelSpec: { name: "half", signatureName: "regressor" },
      input,
    });
    expect(response.result.regressions).toEqual([{ value: 1 }, { value: 7 }]);
  });

  test("tells the signatures", async () => {
    const ask = (metadataField: string[]) => client.call(prediction, "GetModelMetadata", { modelSpec, metadataField });
    const { typeUrl, value } = (await ask(["signature_def"])).response.metadata.get("signature_def");
    expect(typeUrl).toBe("type.googleapis.com/tensorflow.serving.SignatureDefMap");
    const { signatureDef } = decodeProto("tensorflow.serving.SignatureDefMap", value, "here");
    expect(signatureDef.get("serving_default")?.inputs.get("x")).toMatchObject({ name: "x:0", dtype: 1 });
    expect((await ask([])).details).toBe("GetModelMetadataRequest must specify at least one metadata_field");
    expect((await ask(["other"])).details).toBe("Metadata field other is not supported");
  });

  test("takes messages beyond gRPC's usual 4 MiB", async () => {
    const values = new Float32Array(2_000_000).fill(4);
    const inputs = new Map([
      ["x", toTensorProto({ dtype: "float32", shape: [values.length], data: values }, { asContent: true })],
    ]);
    const { response } = await predict({ inputs, outputFilter: ["y"] });
    expect(response.outputs.get("y").floatVal).toHaveLength(2_000_000);
  });

  test("ends a run when its client cancels it, or its deadline is over", async () => {
    for (const end of ["cancel", "deadline"] as const) {
      const aborted = new Promise<InferenceError>((resolve) => {
        duringRun = (signal) =>
          new Promise((_resolve, reject) => {
            signal?.addEventListener("abort", () => {
              resolve(signal.reason);
              reject(signal.reason);
            });
            if (end === "cancel") answer.cancel();
          });
      });
      const deadline = end === "deadline" ? { deadline: new Date(Date.now() + 200) } : {};
      const answer = client.call(prediction, "Predict", { modelSpec, inputs: new Map([["x", tensor(1)]]) }, deadline);
      // A client whose deadline is over cancels its call, of which the server may hear before its own clock tells.
      expect(["cancelled", end === "deadline" && "deadline-exceeded"]).toContain((await aborted).code);
      expect((await answer).code).toBe(end === "cancel" ? 1 : 4);
    }
  });
});

describe("ModelService", () => {
  const status = (spec: object) =>
    client.call("tensorflow.serving.ModelService", "GetModelStatus", { modelSpec: spec });

  test("tells the state of versions", async () => {
    const { response } = await status(modelSpec);
    expect(response.modelVersionStatus).toMatchObject([{ version: 123n, state: 30, status: { errorCode: 0 } }]);
    expect((await status({ name: "m" })).details).toBe("Could not find any versions of model m");
    expect((await status({ name: "half", version: { value: 9n } })).details).toBe(
      "Could not find version 9 of model half",
    );
  });

  test("answers a reload with its status", async () => {
    const reload = (config: object) =>
      client.call("tensorflow.serving.ModelService", "HandleReloadConfigRequest", { config });
    const models = { modelConfigList: { config: [{ name: "half", basePath: "/half" }] } };
    expect((await reload(models)).response.status).toMatchObject({ errorCode: 0 });
    expect((await reload({})).response.status).toMatchObject({ errorCode: 3 });
  });

  test("asks no other server on a client's word", async () => {
    const config = { modelConfigList: { config: [{ name: "half", basePath: "http://169.254.169.254/half" }] } };
    const reloading = client.call("tensorflow.serving.ModelService", "HandleReloadConfigRequest", { config });
    expect((await reloading).response.status).toMatchObject({
      errorCode: 7,
      errorMessage: 'model "half": addresses as base paths need --allow_model_control',
    });
  });

  test("lets no client name files to write", async () => {
    const logCollectorConfig = { type: "file", filenamePrefix: "/tmp/" };
    const loggingConfig = { samplingConfig: { samplingRate: 1 }, logCollectorConfig };
    const config = { modelConfigList: { config: [{ name: "half", basePath: "/half", loggingConfig }] } };
    const { response } = await client.call("tensorflow.serving.ModelService", "HandleReloadConfigRequest", { config });
    expect(response.status).toMatchObject({ errorCode: 7, errorMessage: expect.stringContaining("filename_prefix") });
  });
});

describe("GRPCInferenceService", () => {
  const service = "inference.GRPCInferenceService";
  const input = { name: "x", datatype: "FP32", shape: [2] };
  const infer = (request: object): Promise<Answer> =>
    client.call(service, "ModelInfer", { modelName: "half", ...request });

  test("infers raw contents and typed ones", async () => {
    const raw = new Uint8Array(Float32Array.of(1, 2).buffer);
    for (const request of [
      { inputs: [input], rawInputContents: [raw] },
      { inputs: [{ ...input, contents: { fp32Contents: [1, 2] } }] },
    ]) {
      const { response } = await infer({ ...request, id: "7", outputs: [{ name: "y" }] });
      expect(response).toMatchObject({ modelName: "half", modelVersion: "123", id: "7" });
      expect(response.outputs).toMatchObject([{ name: "y", datatype: "FP32", shape: [2] }]);
      expect(new Float32Array(new Uint8Array(response.rawOutputContents[0]).buffer)).toEqual(Float32Array.of(2.5, 3));
    }
  });

  test.each<[string, object, number, string]>([
    ["fewer bytes than the shape", { inputs: [input], rawInputContents: [new Uint8Array(4)] }, 3, "expected 8 bytes"],
    [
      "fewer elements than the shape",
      { inputs: [{ ...input, contents: { fp32Contents: [1] } }] },
      3,
      "expected 2 elements",
    ],
    [
      "both kinds of contents",
      { inputs: [{ ...input, contents: { fp32Contents: [1, 2] } }], rawInputContents: [new Uint8Array(8)] },
      3,
      "both",
    ],
    [
      "fewer raw contents than inputs",
      { inputs: [input, input], rawInputContents: [new Uint8Array(8)] },
      3,
      "expected 2 entries",
    ],
    ["a negative dimension", { inputs: [{ ...input, shape: [-1] }] }, 3, "whole numbers"],
    ["another datatype", { inputs: [{ ...input, datatype: "FP8" }] }, 3, "a datatype of the protocol"],
    ["an output twice", { inputs: [], outputs: [{ name: "y" }, { name: "y" }] }, 3, "each name once"],
    ["another model", { modelName: "m" }, 5, 'model "m" is not on this server'],
    ["a version that is no number", { modelVersion: "one" }, 3, "version: expected a whole number, got one"],
  ])("tells of %s", async (_what, request, code, details) => {
    const answer = await infer(request);
    expect([answer.code, answer.details]).toEqual([code, expect.stringContaining(details)]);
  });

  test("tells when to come back with what can't be done now", async () => {
    duringRun = async () => {
      throw new InferenceError("unavailable", "the queue is full");
    };
    const { code, trailers } = await infer({ inputs: [{ ...input, contents: { fp32Contents: [1, 2] } }] });
    expect([code, trailers]).toEqual([14, expect.objectContaining({ "grpc-retry-pushback-ms": "1000" })]);
  });

  test("ends a run that takes longer than the request allows", async () => {
    duringRun = (signal) =>
      new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    const parameters = new Map([["timeout", { int64Param: 1000n }]]); // microseconds
    const { code } = await infer({ inputs: [{ ...input, contents: { fp32Contents: [1, 2] } }], parameters });
    expect(code).toBe(4);
  });

  test("answers a stream of requests in their order, errors within it", async () => {
    const request = (value: number, datatype = "FP32") => ({
      modelName: "half",
      id: String(value),
      inputs: [{ name: "x", datatype, shape: [1], contents: { fp32Contents: [value] } }],
    });
    const answers = await client.stream(service, "ModelStreamInfer", [request(1), request(2, "FP8"), request(3)]);
    expect(answers.map(({ errorMessage, inferResponse }) => [errorMessage === "", inferResponse.id])).toEqual([
      [true, "1"],
      [false, "2"],
      [true, "3"],
    ]);
  });

  test("tells of the server, the model and the repository", async () => {
    const ask = async (name: string, request = {}) => (await client.call(service, name, request)).response;
    expect(await ask("ServerLive")).toEqual({ live: true });
    expect(await ask("ServerReady")).toEqual({ ready: true });
    expect(await ask("ModelReady", { name: "half" })).toEqual({ ready: true });
    expect(await ask("ServerMetadata")).toMatchObject({
      name: "nearside",
      extensions: expect.arrayContaining(["statistics"]),
    });
    expect(await ask("ModelMetadata", { name: "half" })).toMatchObject({
      versions: ["123"],
      inputs: [{ name: "x", datatype: "FP32", shape: [-1] }],
    });
    expect(await ask("RepositoryIndex")).toMatchObject({ models: [{ name: "half", version: "123", state: "READY" }] });
    expect(await ask("ModelStatistics", { name: "half" })).toMatchObject({
      modelStats: [{ name: "half", inferenceCount: 0n }],
    });
    const { code, details } = await client.call(service, "RepositoryModelUnload", { modelName: "half" });
    expect([code, details]).toEqual([12, expect.stringContaining("--allow_model_control")]);
  });
});

describe("health", () => {
  test.each(["", "PredictionService", "tensorflow.serving.ModelService"])("says that %j serves", async (service) => {
    expect((await client.call("grpc.health.v1.Health", "Check", { service })).response).toEqual({ status: 1 });
  });

  test("knows no other service", async () => {
    expect((await client.call("grpc.health.v1.Health", "Check", { service: "other" })).code).toBe(5);
  });
});

test("reflection lists the services and describes their messages", async () => {
  const ask = (request: object) =>
    client.stream("grpc.reflection.v1.ServerReflection", "ServerReflectionInfo", [request]);
  const [list] = await ask({ listServices: "" });
  expect(list.listServicesResponse.service).toContainEqual({ name: prediction });
  const [described] = await ask({ fileContainingSymbol: `${prediction}.Predict` });
  expect(described.fileDescriptorResponse.fileDescriptorProto).toHaveLength(4); // its package's, and those that it needs
  const [missing] = await ask({ fileContainingSymbol: "nothing" });
  expect(missing.errorResponse).toMatchObject({ errorCode: 5 });
});

test("a server that is closed finishes the calls in flight, and takes no more", async () => {
  const onEvent = () => {};
  const repository = fakeRepository(half);
  const guard = openGuard(repository);
  const closing = createGrpcServer(repository, { allowModelControl: false, onCall: () => {}, guard, onEvent });
  await closing.listen("127.0.0.1", 0);
  const caller = grpcClient(closing.address as string); // it listens
  const request = { modelSpec, inputs: new Map([["x", tensor(1)]]) };
  let closed: Promise<void> | undefined;
  duringRun = async () => {
    closed = closing.close();
    const late = await caller.call(prediction, "Predict", request, { deadline: new Date(Date.now() + 500) });
    expect(late.code).not.toBe(0);
  };
  const inFlight = await caller.call(prediction, "Predict", request);
  expect([inFlight.code, closing.address]).toEqual([0, null]);
  await closed;
  caller.close();
});
