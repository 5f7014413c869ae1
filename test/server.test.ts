import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { decodeTensors, encodeTensors, headerLengthName } from "@nearside/core";
import { expectClose, sessionSuite } from "@nearside/core/testing";
import { createServer, type InferenceServer, type ServerOptions } from "@nearside/server";
import { connectSession } from "nearside";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { doublingShard, writeDoublingModel } from "../packages/server/testing/doubling-model.ts";
import { fakeSession } from "../packages/server/testing/fake-repository.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const linearRegression = join(root, "examples/models/linear-regression/saved_model");
const page = "https://shop.example";
const maxBodyBytes = 64 * 1024;

let folder: string;
let server: InferenceServer;
let url: string;

/** A server on a free port of this machine, as a test wants it. */
function serverOf(models: readonly string[], options: Partial<ServerOptions> = {}): InferenceServer {
  const cacheDir = join(folder, "cache");
  const configs = models.map((name) => ({ name, basePath: join(folder, name) }));
  return createServer({ models: configs, host: "127.0.0.1", restPort: 0, cacheDir, maxLoadRetries: 0, ...options });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-server-"));
  await cp(linearRegression, join(folder, "linear_regression", "3"), { recursive: true });
  await writeDoublingModel(join(folder, "double", "1"));
  await writeDoublingModel(join(folder, "broken", "7"));
  await writeFile(join(folder, "broken", "7", doublingShard), "four");
  await writeFile(join(folder, "secret.txt"), "secret");
  await writeFile(join(folder, "double", "1", "notes.txt"), "not in the manifest");
  server = serverOf(["linear_regression", "broken", "double"], { corsOrigins: [page], maxBodyBytes });
  await server.listen();
  url = server.url as string; // it listens
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const golden = {
  inputs: { x: { dtype: "float32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) } },
  outputs: { y: { dtype: "float32", shape: [2, 2], data: Float32Array.of(2, 4, 6, 8) } },
} as const;

async function post(path: string, body: BodyInit, headers: Record<string, string> = {}) {
  const response = await fetch(url + path, { method: "POST", body, headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** A GET with its path as it is; fetch would resolve `..` itself. */
async function getRaw(path: string, headers: Record<string, string> = {}): Promise<{ status?: number; text: string }> {
  const sent = request(url, { path, headers }).end();
  const [response] = await once(sent, "response");
  const chunks: Uint8Array[] = await response.toArray();
  return { status: response.statusCode, text: Buffer.concat(chunks).toString() };
}

describe("a TensorFlow Serving client", () => {
  test("predicts with curl -d, whose content type is a form's", async () => {
    const curl = spawn("curl", [
      ...["-s", "-d", '{"instances": [[1.0]]}', "-X", "POST"],
      `${url}/v1/models/linear_regression:predict`,
    ]);
    const chunks: Uint8Array[] = await curl.stdout.toArray();
    const { cases } = JSON.parse(await readFile(join(linearRegression, "../golden.json"), "utf8"));
    const expected = Buffer.from(cases[0].outputs.output_0.b64, "base64").readFloatLE(); // for the input [[1]]
    const { predictions } = JSON.parse(Buffer.concat(chunks).toString());
    expect(predictions).toEqual([[expect.closeTo(expected, 4)]]);
  });

  test.each(["application/json", "text/plain", "application/x-protobuf", "nonsense"])("may send %s", async (type) => {
    const { status, headers } = await post("/v1/models/double:predict", '{"inputs": [[1, 2]]}', {
      "content-type": type,
    });
    expect([status, headers.get("content-type")]).toEqual([200, "application/json"]);
  });

  test("may compress the body", async () => {
    const body = gzipSync('{"inputs": [[1, NaN]]}');
    const { text } = await post("/v1/models/double:predict", body, { "content-encoding": "gzip" });
    expect(text).toBe('{\n    "outputs": [[2.0, NaN]]\n}');
  });

  test("sees the broken model beside the good ones", async () => {
    const broken = await (await fetch(`${url}/v1/models/broken`)).json();
    expect(broken).toMatchObject({
      model_version_status: [
        {
          version: "7",
          state: "END",
          status: { error_code: "DATA_LOSS", error_message: expect.stringContaining("SHA-256") },
        },
      ],
    });
    const good = await (await fetch(`${url}/v1/models/linear_regression`)).json();
    expect(good).toMatchObject({ model_version_status: [{ version: "3", state: "AVAILABLE" }] });
    expect((await post("/v1/models/broken:predict", '{"instances": [1]}')).status).toBe(404);
    expect((await fetch(`${url}/v2/health/ready`)).status).toBe(503);
    expect((await fetch(`${url}/v2/models/double/ready`)).status).toBe(200);
  });

  test.each([
    ["no body", "", 400],
    ["a body cut short", '{"instances": [[1.0', 400],
    ["a body that is too large", " ".repeat(maxBodyBytes + 1), 413],
    ["another shape than the signature's", '{"instances": [[1, 2, 3]]}', 400],
  ])("is told of %s", async (_what, body, expected) => {
    const { status, text } = await post("/v1/models/double:predict", body);
    expect([status, JSON.parse(text)]).toEqual([expected, { error: expect.any(String) }]);
  });

  test.each([
    ["a body that becomes too large", gzipSync(" ".repeat(maxBodyBytes + 1)), "gzip", 413],
    ["a body that is not gzip", "{}", "gzip", 400],
    ["an encoding that the server lacks", "{}", "br", 400],
  ])("is told of %s", async (_what, body, encoding, expected) => {
    const { status } = await post("/v1/models/double:predict", body, { "content-encoding": encoding });
    expect(status).toBe(expected);
  });

  test.each([
    "/v1/models/%zz",
    "/v1/models/%00",
    `/v1/models/${"a".repeat(5000)}`,
    "/v1/../v1/models/double",
    "//",
    "/",
  ])("gets no 500 for the path %s", async (path) => {
    expect((await getRaw(path)).status).toBeOneOf([200, 400, 404]);
  });
});

describe("connectSession to the server", () => {
  test.each(sessionSuite)("$name", async ({ run }) => {
    await run(() => connectSession(url, "double"), golden);
  });
});

describe("an Open Inference Protocol client", () => {
  test("infers binary tensors", async () => {
    const { body, headerBytes } = encodeTensors("inputs", golden.inputs, {
      id: "a",
      parameters: { binary_data_output: true },
    });
    const headers = { [headerLengthName]: String(headerBytes) };
    const response = await fetch(`${url}/v2/models/double/infer`, { method: "POST", body, headers });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const { tensors, fields } = decodeTensors("outputs", bytes, Number(response.headers.get(headerLengthName)));
    expectClose(tensors, golden.outputs);
    expect(fields).toMatchObject({ id: "a", model_name: "double", model_version: "1" });
  });

  test.each(["100000", "-1", "many"])("is told of the header length %s", async (length) => {
    const { body } = encodeTensors("inputs", golden.inputs);
    const { status, text } = await post("/v2/models/double/infer", body, { [headerLengthName]: length });
    expect([status, JSON.parse(text).code]).toEqual([400, "invalid-argument"]);
  });
});

describe("a browser that loads a model from the server", () => {
  test.each(["", "/1"])("gets the manifest at /models/double%s/model.json, to be asked for again", async (version) => {
    const response = await fetch(`${url}/models/double${version}/model.json`);
    expect(response.headers.get("cache-control")).toBe("no-cache");
    expect(await response.json()).toMatchObject({ format: "graph-model" });
    const etag = response.headers.get("etag") ?? "";
    const { status } = await getRaw(`/models/double${version}/model.json`, { "if-none-match": `"other", ${etag}` });
    expect(status).toBe(304);
    expect((await getRaw(`/models/double${version}/model.json`, { "if-none-match": '"other"' })).status).toBe(200);
  });

  test("has the same ETag from every server and in every encoding", async () => {
    const etagOf = async (path: string, encoding = "identity") =>
      (await fetch(`${url}${path}`, { headers: { "accept-encoding": encoding } })).headers.get("etag");
    const manifest = await etagOf("/models/linear_regression/model.json");
    expect(manifest).toMatch(/^W\/"[0-9a-f]{32}"$/);
    expect(await etagOf("/models/linear_regression/model.json", "br")).toBe(manifest);
    const sha256 = createHash("sha256")
      .update(new Uint8Array(Float32Array.of(2).buffer))
      .digest("hex");
    expect(await etagOf(`/models/double/${doublingShard}`)).toBe(`W/"${sha256.slice(0, 32)}"`);
  });

  test("gets a shard named by its hash, for good", async () => {
    const response = await fetch(`${url}/models/double/${doublingShard}`);
    expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(new Float32Array(await response.arrayBuffer())).toEqual(Float32Array.of(2));
  });

  test.each(["br", "gzip"])("gets the manifest of a conversion in %s, for pages of any origin", async (encoding) => {
    const response = await fetch(`${url}/models/linear_regression/model.json`, {
      headers: { "accept-encoding": encoding },
    });
    expect(response.headers.get("content-encoding")).toBe(encoding);
    expect(response.headers.get("vary")?.toLowerCase()).toContain("accept-encoding");
    expect(response.headers.get("cross-origin-resource-policy")).toBe("cross-origin");
    expect(await response.json()).toMatchObject({ format: "graph-model" });
  });

  test("gets the size of the manifest in Brotli, and a part of that", async () => {
    const [address, headers] = [`${url}/models/linear_regression/model.json`, { "accept-encoding": "br" }];
    const head = await fetch(address, { method: "HEAD", headers });
    expect([head.status, head.headers.get("content-encoding")]).toEqual([200, "br"]);
    const part = await fetch(address, { method: "HEAD", headers: { ...headers, range: "bytes=0-3" } });
    expect([part.status, part.headers.get("content-encoding")]).toEqual([206, "br"]);
    expect(part.headers.get("content-range")).toBe(`bytes 0-3/${head.headers.get("content-length")}`);
  });

  test("gets a part of a shard", async () => {
    const response = await fetch(`${url}/models/double/${doublingShard}`, { headers: { range: "bytes=2-3" } });
    expect([response.status, response.headers.get("content-range")]).toEqual([206, "bytes 2-3/4"]);
    expect((await response.arrayBuffer()).byteLength).toBe(2);
  });

  test.each([
    "/models/double/notes.txt",
    "/models/linear_regression/model.json.br",
    "/models/linear_regression/model.d.ts",
    "/models/double/../../secret.txt",
    "/models/double/..%2f..%2fsecret.txt",
    "/models/double/%2e%2e/%2e%2e/secret.txt",
    "/models/..%2fdouble%2f1/model.json",
    `/models/double/2/${doublingShard}`,
    "/models/broken/model.json",
    "/models/",
  ])("gets nothing at %s", async (path) => {
    expect(await getRaw(path)).toMatchObject({ status: 404, text: expect.stringContaining('"code":"not-found"') });
  });
});

describe("a page of another origin", () => {
  const preflight = (origin: string) =>
    fetch(`${url}/v2/models/double/infer`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": headerLengthName },
    });

  test("may call where it is allowed", async () => {
    const { headers } = await preflight(page);
    expect(headers.get("access-control-allow-origin")).toBe(page);
    expect(headers.get("access-control-allow-headers")?.toLowerCase()).toContain(headerLengthName);
    expect(headers.get("access-control-max-age")).toBe("86400");
    const response = await fetch(`${url}/models/double/model.json`, { headers: { origin: page } });
    expect(response.headers.get("access-control-allow-origin")).toBe(page);
    expect(response.headers.get("access-control-expose-headers")).toContain(headerLengthName);
  });

  test("may not call where it is not", async () => {
    expect((await preflight("https://evil.example")).headers.get("access-control-allow-origin")).toBeNull();
    const response = await fetch(`${url}/v2`, { headers: { origin: "https://evil.example" } });
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });

  test("may call anywhere on a server that allows all, and nowhere by default", async () => {
    const allowed = async (corsOrigins?: string[]) => {
      await using other = serverOf([], corsOrigins && { corsOrigins });
      await other.listen();
      return (await fetch(`${other.url}/v2`, { headers: { origin: page } })).headers.get("access-control-allow-origin");
    };
    expect(await allowed(["*"])).toBe("*");
    expect(await allowed()).toBeNull();
  });
});

/** A server whose model runs until it is told to finish. */
async function slowServer() {
  const events = new EventEmitter();
  const started = once(events, "started").then(([signal]) => signal as AbortSignal); // as emitted below
  const finished = once(events, "finish");
  const slow = serverOf(["double"], {
    openModel: async (_model, { manifest }) => {
      const session = fakeSession(manifest.signature, () => golden.outputs);
      return {
        ...session,
        run: async (_inputs, options) => {
          events.emit("started", options?.signal);
          await finished;
          return golden.outputs;
        },
      };
    },
  });
  await slow.listen();
  return { slow, started, finish: () => events.emit("finish") };
}

describe("a run in flight", () => {
  test("is finished before the server is closed, while new requests are refused", async () => {
    const { slow, started, finish } = await slowServer();
    const predict = () =>
      fetch(`${slow.url}/v1/models/double:predict`, { method: "POST", body: '{"inputs": [[1, 2]]}' });
    const address = slow.url as string; // gone once closed
    const inFlight = predict();
    await started;
    const closing = slow.close();
    await expect(fetch(`${address}/v2`)).rejects.toThrow();
    finish();
    expect((await inFlight).status).toBe(200);
    await closing;
  });

  test("is aborted when its client goes away", async () => {
    const { slow, started, finish } = await slowServer();
    const client = new AbortController();
    const call = fetch(`${slow.url}/v1/models/double:predict`, {
      method: "POST",
      body: '{"inputs": [[1, 2]]}',
      signal: client.signal,
    });
    const signal = await started;
    client.abort();
    await expect(call).rejects.toThrow();
    if (!signal.aborted) await once(signal, "abort");
    expect(signal.reason).toMatchObject({ code: "cancelled" });
    finish();
    await slow.close();
  });

  test("of a client that says goodbye in the middle of its body leaves the server well", async () => {
    const { port } = new URL(url);
    const socket = connect(Number(port), "127.0.0.1");
    socket.write("POST /v1/models/double:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
    socket.end();
    await once(socket.resume(), "close");
    expect((await fetch(`${url}/v2/health/live`)).status).toBe(200);
  });
});

describe("createServer", () => {
  test("listens without a model, and says so", async () => {
    const events: string[] = [];
    await using empty = serverOf(["none"], { onEvent: ({ type }) => events.push(type) });
    await empty.listen();
    expect(events).toEqual(["backend", "no-version"]);
    expect((await fetch(`${empty.url}/v1/models/none`)).status).toBe(404);
    expect(await (await fetch(`${empty.url}/v2/health/ready`)).json()).toEqual({ ready: false });
  });

  test("rejects with unavailable if the port is taken", async () => {
    await using second = serverOf([], { restPort: Number(new URL(url).port) });
    await expect(second.listen()).rejects.toMatchObject({ code: "unavailable" });
  });

  test("may be closed before it listens, and then does not listen", async () => {
    const closed = serverOf([]);
    await closed.close();
    await expect(closed.listen()).rejects.toMatchObject({ code: "closed" });
  });

  test("converts a SavedModel once, however many copies it has", async () => {
    const cacheDir = join(folder, "another cache");
    await cp(linearRegression, join(folder, "copy"), { recursive: true });
    await using copies = serverOf(["linear_regression", "copy"], { cacheDir });
    await copies.listen();
    expect((await fetch(`${copies.url}/v2/health/ready`)).status).toBe(200);
    expect(await readdir(cacheDir)).toHaveLength(1);
  });
});

describe("the command nearside-server", () => {
  const command = join(root, "packages/server/bin/nearside-server.js");
  const run = (...args: string[]) => spawn(process.execPath, [command, ...args]);

  test("serves a model until it is told to stop", async () => {
    const basePath = `--model_base_path=${join(folder, "double")}`;
    const child = run("--model_name=double", basePath, "--rest_api_port=0", "--port=0", "--host=127.0.0.1");
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      if (line.startsWith("REST: ")) break;
    }
    const address = lines.at(-1)?.replace("REST: ", "");
    expect(lines).toContainEqual(expect.stringMatching(/^double: version 1 is available on /));
    expect((await fetch(`${address}v1/models/double`)).status).toBe(200);
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  test.each([
    ["--help", 0, "Usage: nearside-server"],
    ["--version", 0, "nearside-server 0.1.0"],
    ["--backend=cuda", 1, "--model_base_path: expected the folder of a model"],
  ])("answers %s", async (flag, code, text) => {
    const child = run(flag);
    const output = Promise.all([child.stdout.toArray(), child.stderr.toArray()]);
    expect(await once(child, "close")).toEqual([code, null]);
    expect(Buffer.concat((await output).flat()).toString()).toContain(text);
  });
});
