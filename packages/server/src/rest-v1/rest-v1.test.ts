import { encodeText, type Tensor } from "@nearside/core";
import { describe, expect, test } from "vitest";
import { fakeRepository, fakeSession } from "../../testing/fake-repository.ts";
import { JsonThreads } from "../json-threads/json-threads.ts";
import { decodeProto } from "../protobuf/codec.ts";
import { restV1 } from "./rest-v1.ts";

const json = new JsonThreads(); // which starts none for what is small

const x = { dtype: "float32", shape: [null] } as const;
const half = fakeSession({ inputs: { x }, outputs: { y: x } }, (inputs) => {
  const { shape, data } = inputs.x as Tensor<"float32">; // of the signature
  return { y: { dtype: "float32", shape, data: data.map((value) => value / 2 + 2) } };
});

const texts = { dtype: "string", shape: [null] } as const;
const column = { dtype: "float32", shape: [null, 1] } as const;

/** What a session was run on: its serialized examples. */
let sent: readonly string[];

const regressor = fakeSession({ inputs: { inputs: texts }, outputs: { outputs: column } }, (inputs) => {
  sent = (inputs.inputs as Tensor<"string">).data; // of the signature
  return { outputs: { dtype: "float32", shape: [sent.length, 1], data: Float32Array.from(sent, (_, at) => at + 0.5) } };
});
const classifier = fakeSession(
  { inputs: { inputs: texts }, outputs: { classes: texts, scores: { dtype: "float32", shape: [null, 2] } } },
  (inputs) => {
    sent = (inputs.inputs as Tensor<"string">).data; // of the signature
    const count = sent.length;
    return {
      classes: { dtype: "string", shape: [count, 2], data: sent.flatMap(() => ["cat", 'd"g']) },
      scores: { dtype: "float32", shape: [count, 2], data: Float32Array.from(sent.flatMap(() => [0.2, 1])) },
    };
  },
);

async function call(method: string, path: string, body = "", headers = {}) {
  const { signal } = new AbortController();
  const request = { method, path, headers, body: new TextEncoder().encode(body), signal };
  const reply = await restV1({ json })(request, fakeRepository(half, { regressor, classifier }));
  return { status: reply.status, text: String(reply.body) };
}

const instances = '{"instances": [1.0, 2.0, 5.0]}';

describe("restV1", () => {
  test.each(["/v1/models/half:predict", "/V1/models/%68alf/VERSIONS/123:predict"])("predicts at %s", async (path) => {
    const { status, text } = await call("POST", path, instances);
    expect([status, text]).toEqual([200, '{\n    "predictions": [2.5, 3.0, 4.5\n    ]\n}']);
  });

  test("tells the status of a model", async () => {
    const { status, text } = await call("GET", "/v1/models/half");
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({
      model_version_status: [{ version: "123", state: "AVAILABLE", status: { error_code: "OK", error_message: "" } }],
    });
  });

  test("tells the signature of a model", async () => {
    const { text } = await call("GET", "/v1/models/half/versions/123/metadata");
    const tensor_shape = { dim: [{ size: "-1", name: "" }], unknown_rank: false };
    expect(JSON.parse(text)).toEqual({
      model_spec: { name: "half", signature_name: "", version: "123" },
      metadata: {
        signature_def: {
          signature_def: {
            regressor: expect.objectContaining({ method_name: "tensorflow/serving/predict" }),
            classifier: expect.objectContaining({ method_name: "tensorflow/serving/predict" }),
            serving_default: {
              inputs: { x: { dtype: "DT_FLOAT", tensor_shape, name: "x:0" } },
              outputs: { y: { dtype: "DT_FLOAT", tensor_shape, name: "y:0" } },
              method_name: "tensorflow/serving/predict",
              defaults: {},
            },
          },
        },
      },
    });
  });

  test("predicts with a version that a label names", async () => {
    expect((await call("POST", "/v1/models/half/labels/stable:predict", instances)).status).toBe(200);
    expect((await call("GET", "/v1/models/half/labels/stable/metadata")).status).toBe(200);
    expect((await call("GET", "/v1/models/half/labels/any")).status).toBe(200); // whose label is ignored
  });

  test("regresses examples, with the features that they share", async () => {
    const body =
      '{"signature_name": "regressor", "context": {"c": 1}, "examples": [{"x": 2.0}, {"x": [3.0, 4.5], "c": true}]}';
    const { status, text } = await call("POST", "/v1/models/half:regress", body);
    expect([status, text]).toEqual([200, '{\n    "results": [0.5, 1.5\n    ]\n}']);
    const examples = sent.map((each) => decodeProto("tensorflow.Example", encodeText(each), "here").features?.feature);
    expect(
      [...(examples[0] ?? [])].map(([name, { int64List, floatList }]) => [name, int64List?.value ?? floatList?.value]),
    ).toEqual([
      ["c", [1n]],
      ["x", [2]],
    ]);
    expect(examples[1]?.get("x")?.floatList?.value).toEqual([3, 4.5]);
    expect(examples[1]?.get("c")?.int64List?.value).toEqual([1n]);
  });

  test("classifies examples", async () => {
    const body = '{"signature_name": "classifier", "examples": [{"s": ["a", {"b64": "/w=="}], "none": []}]}';
    const { status, text } = await call("POST", "/v1/models/half:classify", body);
    expect([status, text]).toEqual([200, '{\n    "results": [[["cat", 0.2], ["d\\"g", 1.0]]\n    ]\n}']);
    const { features } = decodeProto("tensorflow.Example", encodeText(sent[0] ?? ""), "here");
    expect(features?.feature.get("s")?.bytesList?.value.map((bytes) => [...bytes])).toEqual([[97], [255]]);
  });

  test.each([
    ["regress", '{"examples": [{"x": [1, 2.5]}]}', "Unexpected element type in feature: x expecting type: int64"],
    ["regress", '{"examples": [{"x": null}]}', "Type is not supported in feature: x"],
    ["regress", '{"examples": [{"x": [[1]]}]}', "Type is not supported in feature: x"],
    ["regress", '{"examples": [1]}', "JSON Value: 1 Is not object"],
    ["regress", '{"signature_name": "none", "examples": [{}]}', "No signature was found with the name: none"],
    ["regress", '{"examples": [{"x": 1.0}]}', "No regression outputs found in SignatureDef"],
    [
      "classify",
      '{"signature_name": "regressor", "examples": [{}]}',
      "No classification outputs found in SignatureDef",
    ],
    ["regress", '{"signature_name": "classifier", "examples": [{}]}', "Expected one output Tensor."],
  ])("refuses to %s %s", async (verb, body, message) => {
    const { status, text } = await call("POST", `/v1/models/half:${verb}`, body);
    expect([status, JSON.parse(text).error]).toEqual([400, expect.stringContaining(message)]);
  });

  test.each([
    ["GET", "/v1/foo", 400, "Malformed request: GET /v1/foo"],
    ["GET", "/v1/models/half:predict", 400, "Malformed request: GET /v1/models/half:predict"],
    ["POST", "/v1/models/half/metadata", 400, "Malformed request: POST /v1/models/half/metadata"],
    ["POST", "/v1/models/half:PREDICT", 400, "Malformed request: POST /v1/models/half:PREDICT"],
    ["POST", "/v1/models/half/version/1:predict", 400, "Malformed request: POST /v1/models/half/version/1:predict"],
    ["DELETE", "/v1/models/half", 400, "Malformed request: DELETE /v1/models/half"],
    ["GET", "/v1/models", 400, "Missing model name in request."],
    ["GET", "/v1/models/none", 404, "Could not find any versions of model none"],
    ["GET", "/v1/models/half/versions/9", 404, "Could not find version 9 of model half"],
    [
      "GET",
      "/v1/models/half/versions/9223372036854775808",
      400,
      "Failed to convert version: 9223372036854775808 to numeric.",
    ],
    ["POST", "/v1/models/none:predict", 404, "Servable not found for request: Latest(none)"],
    ["POST", "/v1/models/half/versions/7:predict", 404, "Servable not found for request: Specific(half, 7)"],
    ["POST", "/v1/models/half/labels/x:predict", 400, "Unrecognized servable version label: x"],
    [
      "POST",
      "/v1/models/half:classify",
      400,
      "JSON Value: {\n    \"instances\": [1, 2, 5]\n} When method is classify, key 'examples' is expected and was either missing or empty",
    ],
  ])("answers %s %s with %d", async (method, path, status, error) => {
    const reply = await call(method, path, instances);
    expect([reply.status, JSON.parse(reply.text)]).toEqual([status, { error }]);
  });

  test.each([
    ["", 400, "JSON Parse error: The document is empty"],
    ['{"instances": [1.0', 400, "JSON Parse error: Missing a comma or ] after an array element. at offset: 18"],
    [
      '{"signature_name": "encode", "instances": [1]}',
      400,
      'Serving signature name: "encode" not found in signature def',
    ],
  ])("answers the body %s with %d", async (body, status, error) => {
    const reply = await call("POST", "/v1/models/half:predict", body);
    expect([reply.status, JSON.parse(reply.text)]).toEqual([status, { error }]);
  });

  test("answers OPTIONS as TensorFlow Serving does", async () => {
    expect((await call("OPTIONS", "/v1/models/half:predict", "", { origin: "https://a.example" })).status).toBe(200);
    expect((await call("OPTIONS", "/v1/models/half:predict")).status).toBe(400);
  });
});
