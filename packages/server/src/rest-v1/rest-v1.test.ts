import type { Tensor } from "@nearside/core";
import { describe, expect, test } from "vitest";
import { fakeRepository, fakeSession } from "../../testing/fake-repository.ts";
import { restV1 } from "./rest-v1.ts";

const x = { dtype: "float32", shape: [null] } as const;
const half = fakeSession({ inputs: { x }, outputs: { y: x } }, (inputs) => {
  const { shape, data } = inputs.x as Tensor<"float32">; // of the signature
  return { y: { dtype: "float32", shape, data: data.map((value) => value / 2 + 2) } };
});

async function call(method: string, path: string, body = "", headers = {}) {
  const { signal } = new AbortController();
  const request = { method, path, headers, body: new TextEncoder().encode(body), signal };
  const reply = await restV1(request, fakeRepository(half));
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
    ["POST", "/v1/models/half:classify", 501, "classify is not supported yet; call predict on the same model"],
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
