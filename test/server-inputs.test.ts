import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import {
  decodeTensors,
  encodeTensors,
  headerLengthName,
  type Session,
  type Tensor,
  type Tensors,
} from "@nearside/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { grpcClient } from "../packages/server/testing/grpc-client.ts";
import { echoSession, serverOfFakes } from "./server-of-fakes.ts";

/** What a request may hold, as the trusted servers test it: cases A1 to A26 of the acceptance list. */

const maxBodyBytes = 64 * 1024;
const spec = (dtype: Tensor["dtype"], ...shape: (number | null)[]) => ({ dtype, shape });

let server: Awaited<ReturnType<typeof serverOfFakes>>;
let client: ReturnType<typeof grpcClient>;

beforeAll(async () => {
  const waiting = { ...echoSession({ x: spec("float32", null) }) };
  server = await serverOfFakes(
    {
      floats: echoSession({ x: spec("float32", null) }),
      rows: echoSession({ x: spec("float32", null, 2) }),
      scalar: echoSession({ x: spec("float32") }),
      ints: echoSession({ x: spec("int32", null) }),
      longs: echoSession({ x: spec("int64", null) }),
      bools: echoSession({ x: spec("bool", null) }),
      texts: echoSession({ x_bytes: spec("string", null) }),
      pair: echoSession({ a: spec("float32", null), b: spec("float32", null) }),
      waiting: { ...waiting, run: untilWaited },
    },
    { maxBodyBytes },
  );
  client = grpcClient(server.grpcAddress as string); // it listens
});
afterAll(async () => {
  client.close();
  await server.close();
});

/** The reason that the last run of `waiting` was ended for. */
let aborted: (reason: unknown) => void = () => {};
let started: () => void = () => {};

function untilAborted(signal: AbortSignal | undefined): Promise<Tensors> {
  started();
  return new Promise((_resolve, reject) => {
    signal?.addEventListener("abort", () => {
      aborted(signal.reason);
      reject(signal.reason);
    });
  });
}

async function post(path: string, body: BodyInit, headers: Record<string, string> = {}) {
  const response = await fetch(`${server.url}${path}`, { method: "POST", body, headers });
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, bytes, text: new TextDecoder().decode(bytes) };
}

const predict = (model: string, body: string) => post(`/v1/models/${model}:predict`, body);
const infer = (model: string, body: string) => post(`/v2/models/${model}/infer`, body);

/** An infer request as JSON, with numbers as they are written. */
const inferBody = (datatype: string, shape: string, data: string, name = "x") =>
  `{"inputs":[{"name":"${name}","datatype":"${datatype}","shape":${shape},"data":${data}}]}`;

async function inferBinary(model: string, tensors: Tensors) {
  const { body, headerBytes } = encodeTensors("inputs", tensors, { parameters: { binary_data_output: true } });
  const reply = await post(`/v2/models/${model}/infer`, body, { [headerLengthName]: String(headerBytes) });
  return decodeTensors("outputs", reply.bytes, Number(reply.headers.get(headerLengthName))).tensors;
}

const predictOverGrpc = (model: string, inputs: ReadonlyMap<string, object>) =>
  client.call("tensorflow.serving.PredictionService", "Predict", { modelSpec: { name: model }, inputs });

async function expectRefused(reply: Promise<{ status: number; text: string }>, message: string | RegExp, status = 400) {
  const { status: got, text } = await reply;
  expect([got, JSON.parse(text).error]).toEqual([status, expect.stringMatching(message)]);
}

describe("a request", () => {
  test("A1 without a body", async () => {
    await expectRefused(predict("floats", ""), "JSON Parse error: The document is empty");
    await expectRefused(infer("floats", ""), "The document is empty");
  });

  test("A2 of JSON that is cut short", async () => {
    await expectRefused(predict("floats", '{"instances": [1.0, '), "JSON Parse error");
    await expectRefused(infer("floats", '{"inputs": [{"name": "x"'), "JSON Parse error");
  });

  test("A3 with NaN and infinities", async () => {
    const { text } = await predict("floats", '{"instances": [NaN, Infinity, -Infinity, Inf]}');
    expect(text).toContain("[NaN, Infinity, -Infinity, Infinity\n");
    expect((await infer("floats", inferBody("FP32", "[1]", "[NaN]"))).text).toContain('"data":[NaN]');
  });

  test("A4 whose answer has NaN, as JSON, as bytes and over gRPC", async () => {
    const nan = { x: { dtype: "float32", shape: [2], data: Float32Array.of(Number.NaN, -Infinity) } } as const;
    expect((await predict("floats", '{"inputs": [NaN, -Infinity]}')).text).toContain("[NaN, -Infinity]");
    expect(await inferBinary("floats", nan)).toEqual(nan);
    const x = { dtype: 1, tensorShape: { dim: [{ size: 2 }] }, floatVal: nan.x.data };
    const { response } = await predictOverGrpc("floats", new Map([["x", x]]));
    expect(response.outputs.get("x").floatVal).toEqual([Number.NaN, -Infinity]);
  });

  test("A5 with values of another type", async () => {
    expect((await predict("floats", '{"instances": [1, 2.5]}')).status).toBe(200); // any number is a float
    for (const [model, value] of [
      ["ints", "1.0"],
      ["ints", "1e2"],
      ["ints", "4294967296"],
      ["floats", '"1"'],
      ["floats", "true"],
      ["floats", "null"],
      ["bools", "1"],
      ["texts", "1"],
    ] as const) {
      await expectRefused(predict(model, `{"instances": [${value}]}`), "is not of expected type");
    }
    await expectRefused(infer("ints", inferBody("INT32", "[1]", "[1.5]")), "is not of expected type");
    await expectRefused(infer("ints", inferBody("FP32", "[1]", "[1.5]")), "expected int32");
  });

  test("A6 with int64 beyond 2^53, to the last digit", async () => {
    const values = "9007199254740993, -9223372036854775808, 9223372036854775807";
    const data = BigInt64Array.of(9007199254740993n, -(2n ** 63n), 2n ** 63n - 1n);
    expect((await predict("longs", `{"instances": [${values}]}`)).text).toContain(values);
    expect((await infer("longs", inferBody("INT64", "[3]", `[${values}]`))).text).toContain(`"data":[${values}]`);
    const x = { dtype: "int64", shape: [3], data } as const;
    expect(await inferBinary("longs", { x })).toEqual({ x });
    const { response } = await predictOverGrpc(
      "longs",
      new Map([["x", { dtype: 9, tensorShape: { dim: [{ size: 3 }] }, int64Val: data }]]),
    );
    expect(response.outputs.get("x").int64Val).toEqual([...data]);
  });

  test("A7 with numbers beyond float32", async () => {
    expect((await predict("floats", '{"inputs": [1e39, -1e39, 1e-60]}')).text).toContain("[Infinity, -Infinity, 0.0]");
  });

  test("A8 that is ragged, of another rank, or a mixture", async () => {
    await expectRefused(predict("rows", '{"instances": [[1, 2], [3]]}'), "Expecting tensor size: 2 but got: 1");
    await expectRefused(predict("rows", '{"inputs": [[1, 2], [3]]}'), "Encountered list at unexpected size: 1");
    await expectRefused(predict("rows", '{"instances": [[1, [2]]]}'), "unexpected level");
    await expectRefused(predict("rows", '{"instances": [1, 2]}'), /expected float32 \[\?,2\], got float32 \[2\]/);
    await expectRefused(predict("rows", '{"instances": [{"x": [1, 2]}, [3, 4]]}'), "Expecting object but got list");
  });

  test("A9 with names that are missing or too many", async () => {
    await expectRefused(predict("pair", '{"instances": [{"a": 1}]}'), "keys must be equal to: a,b");
    await expectRefused(predict("pair", '{"instances": [{"a": 1, "b": 2, "c": 3}]}'), "does not have named input: c");
    await expectRefused(predict("pair", '{"inputs": {"a": [1]}}'), "Missing named input: b in 'inputs' object.");
    expect((await predict("pair", '{"inputs": {"a": [1], "b": [2], "c": [3]}}')).status).toBe(200); // as TF Serving
    await expectRefused(infer("floats", inferBody("FP32", "[1]", "[1]", "y")), 'input "y"');
  });

  test("A10 in both forms, or in none", async () => {
    await expectRefused(predict("floats", '{"instances": [1], "inputs": [1]}'), "expecting only one of");
    await expectRefused(predict("floats", "{}"), "Missing 'inputs' or 'instances' key");
  });

  test("A11 with no instance, or dimensions of zero", async () => {
    const empty = { x: { dtype: "float32", shape: [0, 2], data: new Float32Array() } } as const;
    expect(await inferBinary("rows", empty)).toEqual(empty);
    expect((await infer("rows", inferBody("FP32", "[0,2]", "[]"))).text).toContain('"shape":[0,2],"data":[]');
    expect((await predict("floats", '{"inputs": []}')).text).toContain('"outputs": []');
    const x = { dtype: 1, tensorShape: { dim: [{ size: 0 }, { size: 2 }] } };
    expect((await predictOverGrpc("rows", new Map([["x", x]]))).response.outputs.get("x").floatVal).toEqual([]);
    await expectRefused(predict("floats", '{"instances": []}'), "No values in 'instances' array");
  });

  test("A12 with a scalar", async () => {
    expect((await predict("scalar", '{"inputs": 7}')).text).toContain('"outputs": 7.0');
    expect((await infer("scalar", inferBody("FP32", "[]", "[7]"))).text).toContain('"shape":[],"data":[7.0]');
    await expectRefused(predict("scalar", '{"instances": [7]}'), "expected float32 []".replace(/[[\]]/g, "\\$&"));
  });

  test("A13 with strings of any bytes", async () => {
    const body = '{"instances": ["a\\u0000b", {"b64": "/wCA"}]}';
    expect(JSON.parse((await predict("texts", body)).text)).toEqual({
      predictions: [{ b64: Buffer.from("a\0b").toString("base64") }, { b64: "/wCA" }],
    });
    const bytes = [Uint8Array.of(97, 0, 98), Uint8Array.of(255, 0, 128)];
    const x = { dtype: 7, tensorShape: { dim: [{ size: 2 }] }, stringVal: bytes };
    const { response } = await predictOverGrpc("texts", new Map([["x_bytes", x]]));
    expect(response.outputs.get("x_bytes").stringVal.map((each: Uint8Array) => [...each])).toEqual(
      bytes.map((each) => [...each]),
    );
  });

  test("A14 with broken base64", async () => {
    await expectRefused(predict("texts", '{"instances": [{"b64": "a"}]}'), "Unable to base64 decode");
    await expectRefused(predict("texts", '{"instances": [{"b64": "a*=="}]}'), "Unable to base64 decode");
  });

  test("A15 nested too deep", async () => {
    const nested = "[".repeat(10_000);
    await expectRefused(predict("floats", `{"instances": ${nested}`), "Nested deeper");
    await expectRefused(infer("floats", `{"inputs": ${nested}`), "Nested deeper");
    await expectRefused(post("/v2/repository/index", `{"ready": ${nested}`), "Nested deeper");
  });

  test("A16 up to the largest body, and not beyond it, compressed or not", async () => {
    const padded = (bytes: number) => '{"instances": [1]}'.padEnd(bytes);
    for (const bytes of [maxBodyBytes - 128, maxBodyBytes]) {
      expect((await predict("floats", padded(bytes))).status).toBe(200);
      const gzip = { "content-encoding": "gzip" };
      expect((await post("/v1/models/floats:predict", gzipSync(padded(bytes)), gzip)).status).toBe(200);
    }
    const tooLarge = padded(maxBodyBytes + 128);
    await expectRefused(predict("floats", tooLarge), "", 413);
    await expectRefused(post("/v1/models/floats:predict", gzipSync(tooLarge), { "content-encoding": "gzip" }), "", 413);
    await expectRefused(post("/v2/models/floats/infer", tooLarge, { [headerLengthName]: "2" }), "", 413);
  });

  test("A17 with a shape that no memory holds, or is negative", async () => {
    for (const shape of ["[4294967296,4294967296,4294967296]", "[-1]", "[1.5]", '["1"]', "[9223372036854775807]"]) {
      await expectRefused(infer("floats", inferBody("FP32", shape, "[1]")), /shape|elements/);
    }
  });

  test("A18 whose shape tells of more than there is", async () => {
    await expectRefused(infer("floats", inferBody("FP32", "[3]", "[1, 2]")), "expected 3 elements, got 2");
    const header = '{"inputs":[{"name":"x","datatype":"FP32","shape":[3],"parameters":{"binary_data_size":8}}]}';
    const headers = { [headerLengthName]: String(header.length) };
    const body = Buffer.concat([Buffer.from(header), new Uint8Array(8)]);
    await expectRefused(post("/v2/models/floats/infer", body, headers), "expected 12 bytes");
    const x = { dtype: 1, tensorShape: { dim: [{ size: 3 }] }, tensorContent: new Uint8Array(8) };
    expect((await predictOverGrpc("floats", new Map([["x", x]]))).code).toBe(3);
  });

  test("A19 with a name twice", async () => {
    const twice = '{"name":"x","datatype":"FP32","shape":[1],"data":[1]}';
    await expectRefused(infer("floats", `{"inputs":[${twice},${twice}]}`), "each name once");
    const outputs = '"outputs":[{"name":"x"},{"name":"x"}]';
    await expectRefused(infer("floats", `{"inputs":[${twice}],${outputs}}`), "each name once");
  });

  test("A20 whose header length is wrong, thousands of times, in the same memory", async () => {
    setFlagsFromString("--expose_gc");
    const collect = runInNewContext("gc") as () => void;
    const { body } = encodeTensors("inputs", { x: { dtype: "float32", shape: [1000], data: new Float32Array(1000) } });
    const send = async (length: string) => {
      await expectRefused(post("/v2/models/floats/infer", body, { [headerLengthName]: length }), "");
    };
    for (const length of ["999999999", "-1", "many", "1e3", "0x10", " ", "1"]) await send(length);
    const sendMany = async () => {
      for (let count = 0; count < 1000; count++) await send(String(1_000_000 + count));
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = await sendMany();
    expect((await sendMany()) - before).toBeLessThan(1000 * body.byteLength); // had it kept every body, it would be more
  });

  test("A21 in more chunks than it may be large", async () => {
    const { port } = new URL(server.url as string);
    const socket = connect(Number(port), "127.0.0.1");
    socket.write("POST /v1/models/floats:predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    const answer = once(socket, "data");
    for (let sent = 0; sent < maxBodyBytes + 1000 && !socket.destroyed; sent++) socket.write("1\r\n \r\n");
    expect(String((await answer)[0])).toContain("HTTP/1.1 413");
    socket.destroy();
  });

  test("A22 with an encoding that the server lacks", async () => {
    for (const encoding of ["br", "deflate", "zstd", "gzip, gzip"]) {
      const reply = post("/v1/models/floats:predict", '{"instances": [1]}', { "content-encoding": encoding });
      await expectRefused(reply, "expected gzip or none");
    }
  });

  test("A23 for any path, method or version: an answer that is no fault", async () => {
    const odd = [
      "%00",
      "%",
      "%zz",
      "%c3%28",
      "..",
      "%2e%2e",
      "a".repeat(6000),
      "-1",
      "1e5",
      "99999999999999999999",
      " ",
      "*",
    ];
    const patterns = ["/v1/models/_", "/v1/models/_/versions/_", "/v1/models/_/versions/1:_", "/v1/_", "/v2/models/_"];
    const more = [
      "/v2/models/_/versions/_",
      "/v2/models/_/infer",
      "/v2/_",
      "/models/_",
      "/models/_/model.json",
      "/_",
      "/v2/repository/models/_/load",
    ];
    const statuses = new Set<number | undefined>();
    for (const pattern of [...patterns, ...more]) {
      for (const part of odd) {
        for (const method of ["GET", "POST", "PUT", "DELETE", "OPTIONS"]) {
          const path = pattern.replaceAll("_", part).replaceAll(" ", "%20");
          const sent = httpRequest(server.url as string, { path, method }).end();
          const [response] = await once(sent, "response");
          response.resume();
          statuses.add(response.statusCode);
        }
      }
    }
    expect([...statuses].filter((status) => status !== undefined && status >= 500 && status !== 501)).toEqual([]);
  });

  test("A24 for a model whose name is empty, blank, or leads elsewhere", async () => {
    for (const name of ["", "%20", "..%2f", "..%2f..%2fetc", "%2e%2e", "floats%2f1"]) {
      for (const path of [`/v1/models/${name}:predict`, `/v2/models/${name}/infer`]) {
        const { status } = await post(path, '{"instances": [1]}');
        expect(status).toBeOneOf([400, 404]);
      }
    }
  });

  test("A25 whose client goes away in the middle of its body, of a run, or of a stream", async () => {
    const { port } = new URL(server.url as string);
    const socket = connect(Number(port), "127.0.0.1");
    socket.write("POST /v1/models/floats:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
    await once(socket, "connect");
    socket.destroy();
    const reasonOf = (call: () => { cancel: () => void }) =>
      new Promise((resolve) => {
        aborted = resolve;
        started = () => running.cancel();
        const running = call();
      });
    const overHttp = () => {
      const controller = new AbortController();
      const { signal } = controller;
      const options = { method: "POST", body: '{"instances": [1]}', signal };
      fetch(`${server.url}/v1/models/waiting:predict`, options).catch(() => {}); // it is to be aborted
      return { cancel: () => controller.abort() };
    };
    expect(await reasonOf(overHttp)).toMatchObject({ code: "cancelled" });
    const x = { dtype: 1, tensorShape: { dim: [{ size: 1 }] }, floatVal: [1] };
    expect(await reasonOf(() => predictOverGrpc("waiting", new Map([["x", x]])))).toMatchObject({ code: "cancelled" });
    expect((await predict("floats", '{"instances": [1]}')).status).toBe(200);
  });

  test("A26 with a content type that nobody knows", async () => {
    for (const type of ["application/x-nothing", "nonsense", "multipart/form-data", ""]) {
      const headers = { "content-type": type };
      expect((await post("/v1/models/floats:predict", '{"instances": [1]}', headers)).status).toBe(200);
    }
  });

  test("that takes longer than the server allows is ended, and answered with 504", async () => {
    const waiting = { ...echoSession({ x: spec("float32", null) }) };
    const sessions = { waiting: { ...waiting, run: untilWaited } };
    await using impatient = await serverOfFakes(sessions, { requestTimeoutMs: 20 });
    const body = '{"instances": [1]}';
    const response = await fetch(`${impatient.url}/v1/models/waiting:predict`, { method: "POST", body });
    expect([response.status, (await response.json()).error]).toEqual([504, expect.stringContaining("20 ms")]);
  });
});

const untilWaited: Session["run"] = (_inputs, options) => untilAborted(options?.signal);
