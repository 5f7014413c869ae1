import { checkInputs, decodeTensors, encodeTensors, headerLengthName, type Signature } from "@nearside/core";
import { describe, expect, test } from "vitest";
import { fakeRepository, fakeSession } from "../../testing/fake-repository.ts";
import { JsonThreads } from "../json-threads/json-threads.ts";
import { oipV2 } from "./oip-v2.ts";

const json = new JsonThreads(); // which starts none for what is small

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
  const route = oipV2({ json, allowModelControl: false });
  return route({ method, path, headers, body: bytes, signal }, fakeRepository(echo));
}

const infer = (body: string | Uint8Array, headers = {}) => call("POST", "/v2/models/half/infer", body, headers);

describe("oipV2", () => {
  test.each([
    [
      "/v2",
      {
        ...{ name: "nearside", version: "0.1.0" },
        extensions: ["binary_tensor_data", "model_repository", "statistics", "schedule_policy"],
      },
    ],
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
    const { headerBytes, body } = encodeTensors("inputs", inputs, {
      id: "7",
      outputs: [{ name: "x", parameters: { binary_data: true } }],
    });
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

  test("answers JSON to a binary request that asks for nothing else, and bytes to a JSON request that asks for them", async () => {
    const { headerBytes, body } = encodeTensors("inputs", inputs);
    const json = await infer(body, { [headerLengthName]: String(headerBytes) });
    expect(json.headers["content-type"]).toBe("application/json");
    const binary = await infer(
      '{"inputs":[{"name":"x","shape":[0,2],"datatype":"INT64","data":[]}],"outputs":[{"name":"x","parameters":{"binary_data":true}}]}',
    );
    expect(binary.headers["content-type"]).toBe("application/octet-stream");
  });

  test("takes inputs of which some are bytes and some JSON", async () => {
    const int32 = { dtype: "int32", shape: [null] } as const;
    const adder = fakeSession({ inputs: { a: int32, b: int32 }, outputs: { a: int32, b: int32 } }, (given) => given);
    const header = JSON.stringify({
      inputs: [
        { name: "a", shape: [1], datatype: "INT32", parameters: { binary_data_size: 4 } },
        { name: "b", shape: [1], datatype: "INT32", data: [2] },
      ],
      outputs: [{ name: "a" }, { name: "b", parameters: { binary_data: true } }],
    });
    const body = Buffer.concat([Buffer.from(header), Uint8Array.of(1, 0, 0, 0)]);
    const headers = { [headerLengthName]: String(header.length) };
    const { signal } = new AbortController();
    const request = { method: "POST", path: "/v2/models/half/infer", headers, body, signal };
    const reply = await oipV2({ json, allowModelControl: false })(request, fakeRepository(adder));
    const length = Number(reply.headers[headerLengthName]);
    expect(JSON.parse(Buffer.from(reply.body as Uint8Array).toString("utf8", 0, length)).outputs).toEqual([
      { name: "a", datatype: "INT32", shape: [1], data: [1] },
      { name: "b", datatype: "INT32", shape: [1], parameters: { binary_data_size: 4 } },
    ]);
    expect([...(reply.body as Uint8Array).subarray(length)]).toEqual([2, 0, 0, 0]);
  });

  test("takes a body without a header as the only input, and answers bytes", async () => {
    const body = new Uint8Array(BigInt64Array.of(5n, -6n).buffer);
    const reply = await infer(body, { [headerLengthName]: "0" });
    const length = Number(reply.headers[headerLengthName]);
    const { tensors } = decodeTensors("outputs", reply.body as Uint8Array, length);
    expect(tensors).toEqual({ x: { dtype: "int64", shape: [1, 2], data: BigInt64Array.of(5n, -6n) } });
    expect((await infer(body.subarray(1), { [headerLengthName]: "0" })).status).toBe(400);
  });

  test("tells what is in the repository, and what was run", async () => {
    const index = await call("POST", "/v2/repository/index", '{"ready": true}');
    expect(JSON.parse(String(index.body))).toEqual([{ name: "half", version: "123", state: "READY", reason: "" }]);
    const stats = await call("GET", "/v2/models/half/versions/123/stats");
    expect(JSON.parse(String(stats.body))).toMatchObject({
      model_stats: [
        { name: "half", version: "123", inference_count: 0, inference_stats: { success: { count: 0, ns: 0 } } },
      ],
    });
    expect((await call("GET", "/v2/models/none/stats")).status).toBe(404);
  });

  test("loads and unloads models only where that is allowed", async () => {
    const reply = await call("POST", "/v2/repository/models/half/unload");
    expect([reply.status, String(reply.body)]).toEqual([501, expect.stringContaining("--allow_model_control")]);
    const { signal } = new AbortController();
    const request = {
      method: "POST",
      path: "/v2/repository/models/half/load",
      headers: {},
      body: new Uint8Array(),
      signal,
    };
    expect((await oipV2({ json, allowModelControl: true })(request, fakeRepository(echo))).status).toBe(200);
  });

  test("refuses a request that belongs to a sequence, whose state no server here keeps", async () => {
    const inputs = '"inputs":[{"name":"x","shape":[0,2],"datatype":"INT64","data":[]}]';
    expect((await infer(`{${inputs},"parameters":{"sequence_id":1}}`)).status).toBe(501);
    expect((await infer(`{${inputs},"parameters":{"sequence_id":0}}`)).status).toBe(200);
  });

  test("refuses a priority that is none", async () => {
    const inputs = '"inputs":[{"name":"x","shape":[0,2],"datatype":"INT64","data":[]}]';
    const statusOf = async (priority: string) =>
      (await infer(`{${inputs},"parameters":{"priority":${priority}}}`)).status;
    expect(await Promise.all(["0", "1", "-1", "1.5", '"high"'].map(statusOf))).toEqual([200, 200, 400, 400, 400]);
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
