import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FinishedCall } from "@nearside/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { toTensorProto } from "../packages/server/src/protobuf/tensor-proto.ts";
import { grpcClient } from "../packages/server/testing/grpc-client.ts";
import { echoSession, serverOfFakes } from "./server-of-fakes.ts";

const echo = echoSession({ x: { dtype: "float32", shape: [null, 2] } });
const hash = (token: string) => createHash("sha256").update(token).digest("hex");

let tokensFile: string;
beforeEach(async () => {
  tokensFile = join(await mkdtemp(join(tmpdir(), "nearside-tokens-")), "tokens.json");
  await writeTokens(
    { name: "shop", sha256: hash("s3cret"), models: ["mine"] },
    { name: "ops", sha256: hash("0ps"), control: true },
  );
});
afterEach(() => rm(join(tokensFile, ".."), { recursive: true }));

const writeTokens = (...tokens: object[]) => writeFile(tokensFile, JSON.stringify({ tokens }));

/** A request over HTTP; its status, and its body as JSON. */
async function call(url: string, { token, ...init }: RequestInit & { token?: string } = {}) {
  const headers: HeadersInit = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url, { ...init, headers });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : text,
  };
}

describe("a server that asks for tokens, over HTTP", () => {
  const predict = { method: "POST", body: '{"instances": [[1, 2]]}' };

  test("lets in who has one, to the token's models alone", async () => {
    await using server = await serverOfFakes({ mine: echo, other: echo }, { tokensFile, allowModelControl: true });
    const { url } = server;
    const without = await call(`${url}/v1/models/mine:predict`, predict);
    expect([without.status, without.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    const statuses = async (path: string, init: RequestInit = {}) =>
      Promise.all(["wrong", "s3cret", "0ps"].map(async (token) => (await call(url + path, { token, ...init })).status));
    expect(await statuses("/v1/models/mine:predict", predict)).toEqual([401, 200, 200]);
    expect(await statuses("/v1/models/other:predict", predict)).toEqual([401, 403, 200]);
    expect(await statuses("/v1/models/other/versions/1:predict", predict)).toEqual([401, 403, 200]);
    expect(await statuses("/v1/models/%6fther:predict", predict)).toEqual([401, 403, 200]);
    expect(await statuses("/v1/models/other")).toEqual([401, 403, 200]);
    expect(await statuses("/v1/models/other/metadata")).toEqual([401, 403, 200]);
    expect(await statuses("/v2/models/other")).toEqual([401, 403, 200]);
    expect(await statuses("/v2/models/other/ready")).toEqual([401, 403, 200]);
    expect(await statuses("/v2/models/other/stats")).toEqual([401, 403, 200]);
    expect(await statuses("/models/mine/model.json")).toEqual([401, 200, 200]);
    expect(await statuses("/models/other/model.json")).toEqual([401, 403, 200]);
    expect(await statuses("/v1/models/made-up")).toEqual([401, 403, 404]); // nor is it told which others there are
    expect(await statuses("/v2/repository/models/mine/load", { method: "POST" })).toEqual([401, 403, 200]);
    expect(await statuses("/metrics")).toEqual([401, 200, 200]);
    const { body: index } = await call(`${url}/v2/repository/index`, { token: "s3cret", method: "POST" });
    expect(index).toEqual([expect.objectContaining({ name: "mine" })]);
    const { body: stats } = await call(`${url}/v2/models/stats`, { token: "s3cret" });
    expect(stats.model_stats).toEqual([expect.objectContaining({ name: "mine" })]);
  });

  test("answers probes without", async () => {
    await using server = await serverOfFakes({ mine: echo }, { tokensFile });
    for (const path of ["/livez", "/readyz", "/healthz", "/v2/health/live", "/v2/health/ready"]) {
      expect((await call(server.url + path)).status, path).toBe(200);
    }
  });

  test("refuses a body before it is read", async () => {
    await using server = await serverOfFakes({ mine: echo }, { tokensFile, maxBodyBytes: 10 });
    expect((await call(`${server.url}/v1/models/mine:predict`, predict)).status).toBe(401);
    expect((await call(`${server.url}/v1/models/mine:predict`, { ...predict, token: "s3cret" })).status).toBe(413);
  });

  test("takes the tokens of the file as it is, and keeps those it has where it is broken", async () => {
    const events: string[] = [];
    const onEvent = ({ type }: { type: string }) => void events.push(type);
    await using server = await serverOfFakes({ mine: echo }, { tokensFile, secretsPollMs: 20, onEvent });
    const status = async (token: string) => (await call(`${server.url}/v1/models/mine`, { token })).status;
    expect([await status("s3cret"), await status("new")]).toEqual([200, 401]);
    await writeTokens({ name: "shop", sha256: hash("new") });
    await vi.waitFor(async () => expect([await status("s3cret"), await status("new")]).toEqual([401, 200]), {
      timeout: 30_000,
    });
    await writeFile(tokensFile, "{");
    await vi.waitFor(() => expect(events).toContain("bad-secret"), { timeout: 30_000 });
    expect(await status("new")).toBe(200);
  });

  test("doesn't start with a file that it can't read", async () => {
    await writeFile(tokensFile, "{}");
    await expect(serverOfFakes({ mine: echo }, { tokensFile })).rejects.toMatchObject({ code: "invalid-argument" });
  });
});

test("a server that asks for tokens lets in who has one over gRPC, to the token's models alone", async () => {
  await using server = await serverOfFakes({ mine: echo, other: echo }, { tokensFile });
  const x = toTensorProto({ dtype: "float32", shape: [1, 2], data: Float32Array.of(1, 2) });
  const codes = async (
    service: Parameters<ReturnType<typeof grpcClient>["call"]>[0],
    method: string,
    request: object,
  ) => {
    const each = [undefined, "wrong", "s3cret", "0ps"].map(async (token) => {
      const client = grpcClient(server.grpcAddress as string, token === undefined ? {} : { token });
      const { code } = await client.call(service, method, request);
      client.close();
      return code;
    });
    return Promise.all(each);
  };
  const [ok, notFound, denied, unauthenticated] = [0, 5, 7, 16];
  const predict = (name: string) => ({ modelSpec: { name }, inputs: new Map([["x", x]]) });
  const [tensorflow, oip] = ["tensorflow.serving.PredictionService", "inference.GRPCInferenceService"] as const;
  const nobody = [unauthenticated, unauthenticated];
  expect(await codes(tensorflow, "Predict", predict("mine"))).toEqual([...nobody, ok, ok]);
  expect(await codes(tensorflow, "Predict", predict("other"))).toEqual([...nobody, denied, ok]);
  expect(await codes(oip, "ModelReady", { name: "other" })).toEqual([...nobody, denied, ok]);
  expect(await codes(oip, "ModelReady", { name: "made-up" })).toEqual([...nobody, denied, notFound]);
  expect(await codes(oip, "ServerReady", {})).toEqual([ok, ok, ok, ok]);
  expect(await codes("grpc.health.v1.Health", "Check", { service: "" })).toEqual([ok, ok, ok, ok]);
  const reload = { config: { modelConfigList: { config: [] } } };
  const client = grpcClient(server.grpcAddress as string, { token: "s3cret" });
  const { response } = await client.call("tensorflow.serving.ModelService", "HandleReloadConfigRequest", reload);
  expect(response.status.errorCode).toBe(denied);
  const streamed = await client.stream(oip, "ModelStreamInfer", [{ modelName: "other" }]);
  expect(streamed).toEqual([
    expect.objectContaining({ errorMessage: expect.stringContaining('may not use model "other"') }),
  ]);
  client.close();
});

describe("a server with a limit of requests", () => {
  test("answers 429, and when to try again", async () => {
    await using server = await serverOfFakes({ mine: echo }, { requestsPerSecond: 1 });
    const answers = await Promise.all(Array.from({ length: 30 }, () => call(`${server.url}/v1/models/mine`)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
    expect(refused[0]?.headers.get("retry-after")).toBe("1");
    expect(refused[0]?.body.error).toContain("1 per second");
    expect((await call(`${server.url}/readyz`)).status).toBe(200);
  });

  test("takes the word of a trusted proxy, and of nobody else, on who the client is", async () => {
    const calls: FinishedCall[] = [];
    const onCall = (each: FinishedCall) => void calls.push(each);
    const addressOf = async (trustedProxies: string[]) => {
      await using server = await serverOfFakes({ mine: echo }, { trustedProxies, onCall });
      await fetch(`${server.url}/v1/models/mine`, { headers: { "x-forwarded-for": "203.0.113.9" } });
      await vi.waitFor(() => expect(calls).toHaveLength(1), { timeout: 30_000 });
      return calls.pop()?.address;
    };
    expect(await addressOf(["127.0.0.0/8"])).toBe("203.0.113.9");
    expect(await addressOf([])).toBe("127.0.0.1");
    expect(await addressOf(["10.0.0.0/8"])).toBe("127.0.0.1");
  });

  test("counts each token for itself, over HTTP and gRPC together", async () => {
    await using server = await serverOfFakes({ mine: echo }, { requestsPerSecond: 1, tokensFile });
    const client = grpcClient(server.grpcAddress as string, { token: "s3cret" });
    const overGrpc = () => client.call("inference.GRPCInferenceService", "ModelReady", { name: "mine" });
    const codes = (await Promise.all(Array.from({ length: 30 }, overGrpc))).map(({ code }) => code);
    expect(new Set(codes)).toEqual(new Set([0, 8]));
    expect((await call(`${server.url}/v1/models/mine`, { token: "0ps" })).status).toBe(200);
    client.close();
  });
});

test("a message of gRPC that is larger than it may be is refused", async () => {
  await using server = await serverOfFakes({ mine: echo }, { maxBodyBytes: 1000 });
  const client = grpcClient(server.grpcAddress as string);
  const x = toTensorProto({ dtype: "float32", shape: [500, 2], data: new Float32Array(1000) });
  const request = { modelSpec: { name: "mine" }, inputs: new Map([["x", x]]) };
  expect(await client.call("tensorflow.serving.PredictionService", "Predict", request)).toMatchObject({ code: 8 });
  client.close();
});
