import { checkInputs, decodeTensors, encodeTensors, headerLengthName, type Signature } from "@nearside/core";
import { describe, expect, test } from "vitest";
import { fakeRepository, fakeSession } from "../../testing/fake-repository.ts";
import { oipV2 } from "./oip-v2.ts";

const signature: Signature = {
  inputs: { x: { dtype: "int64", shape: [null, 2] } },
  outputs: { x: { dtype: "int64", shape: [null, 2] } },
};
const echo = fakeSession(signature, (inputs) => {
  checkInputs(signature, inputs);
  return inputs;
});
const inputs = { x: { dtype: "int64", shape: [1, 2], data: BigInt64Array.of(9007199254740993n, -1n) } } as const;

async function call(method: string, path: string, body: string | Uint8Array = "", headers = {}) {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const { signal } = new AbortController();
  return oipV2({ method, path, headers, body: bytes, signal }, fakeRepository(echo));
}

const infer = (body: string | Uint8Array, headers = {}) => call("POST", "/v2/models/half/infer", body, headers);

describe("oipV2", () => {
  test.each([
    ["/v2", { name: "nearside", version: "0.1.0", extensions: ["binary_tensor_data"] }],
    ["/v2/health/live", { live: true }],
    ["/v2/health/ready", { ready: true }],
    ["/v2/models/half/ready", { name: "half", ready: true }],
    [
      "/v2/models/half/versions/123",
      {
        name: "half",
        versions: ["123"],
        platform: "nearside_cpu",
        backend: "cpu",
        inputs: [{ name: "x", datatype: "INT64", shape: [-1, 2] }],
        outputs: [{ name: "x", datatype: "INT64", shape: [-1, 2] }],
      },
    ],
  ])("answers GET %s", async (path, expected) => {
    const { status, body } = await call("GET", path);
    expect([status, JSON.parse(String(body))]).toEqual([200, expected]);
  });

  test("infers binary tensors, and echoes the id", async () => {
    const { headerBytes, body } = encodeTensors("inputs", inputs, { id: "7", outputs: [{ name: "x" }] });
    const reply = await infer(body, { [headerLengthName]: String(headerBytes) });
    const length = Number(reply.headers[headerLengthName]);
    const { tensors, fields } = decodeTensors("outputs", reply.body as Uint8Array, length);
    expect(tensors).toEqual(inputs);
    expect(fields).toEqual({ model_name: "half", model_version: "123", id: "7" });
  });

  test("infers plain JSON, flat or nested, without losing digits", async () => {
    for (const data of ["[9007199254740993, -1]", "[[9007199254740993, -1]]"]) {
      const { status, body } = await infer(`{"inputs":[{"name":"x","shape":[1,2],"datatype":"INT64","data":${data}}]}`);
      expect(status).toBe(200);
      expect(body).toBe(
        '{"model_name":"half","model_version":"123","outputs":[{"name":"x","datatype":"INT64","shape":[1,2],"data":[9007199254740993, -1]}]}',
      );
    }
  });

  test("answers JSON to a binary request that asks for it, and bytes to a JSON request that asks for them", async () => {
    const { headerBytes, body } = encodeTensors("inputs", inputs, { parameters: { binary_data_output: false } });
    const json = await infer(body, { [headerLengthName]: String(headerBytes) });
    expect(json.headers["content-type"]).toBe("application/json");
    const binary = await infer(
      '{"inputs":[{"name":"x","shape":[0,2],"datatype":"INT64","data":[]}],"outputs":[{"name":"x","parameters":{"binary_data":true}}]}',
    );
    expect(binary.headers["content-type"]).toBe("application/octet-stream");
  });

  test.each(["999", "-1", "x", "1e3", ""])("refuses the header length %j", async (length) => {
    const { body } = encodeTensors("inputs", inputs);
    const reply = await infer(body, { [headerLengthName]: length });
    expect([reply.status, JSON.parse(String(reply.body))]).toEqual([
      400,
      { error: expect.stringContaining(headerLengthName), code: "invalid-argument" },
    ]);
  });

  test("refuses more bytes than the header tells of", async () => {
    const { headerBytes, body } = encodeTensors("inputs", inputs);
    const reply = await infer(new Uint8Array([...body, 0]), { [headerLengthName]: String(headerBytes) });
    expect(reply.status).toBe(400);
  });

  test.each([
    ["{}", "inputs: expected a list of tensors"],
    ['{"inputs":[{"name":"x","shape":[1,2],"datatype":"INT64"}]}', 'input "x": expected data'],
    ['{"inputs":[{"name":"x","shape":[1,3],"datatype":"INT64","data":[1,2]}]}', "expected 3 elements, got 2"],
    ['{"inputs":[{"name":"x","shape":[-1,2],"datatype":"INT64","data":[1,2]}]}', 'input "x".shape'],
    ['{"inputs":[{"name":"x","shape":[2],"datatype":"INT65","data":[1,2]}]}', 'input "x".datatype'],
    ['{"inputs":[{"name":"y","shape":[1],"datatype":"FP32","data":[1]}]}', 'input "y": the model\'s inputs are "x"'],
    ['{"inputs":[],"id":1}', "id: expected a string"],
    ['{"inputs":[],"outputs":1}', "outputs: expected a list"],
  ])("refuses the body %s", async (text, message) => {
    const reply = await infer(text);
    expect([reply.status, JSON.parse(String(reply.body))]).toEqual([
      400,
      { error: expect.stringContaining(message), code: "invalid-argument" },
    ]);
  });

  test.each([
    ["GET", "/v2/models/none"],
    ["POST", "/v2/models/half/versions/9/infer"],
    ["GET", "/v2/models/half/infer"],
    ["GET", "/v2/health/other"],
    ["GET", "/v2/__proto__"],
  ])("answers %s %s with 404", async (method, path) => {
    const reply = await call(method, path);
    expect([reply.status, JSON.parse(String(reply.body))]).toEqual([
      404,
      { error: expect.any(String), code: "not-found" },
    ]);
  });
});
