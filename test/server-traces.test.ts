import { EventEmitter, once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { InferenceError } from "@nearside/core";
import { openTracing, type ServerOptions } from "@nearside/server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { toTensorProto } from "../packages/server/src/protobuf/tensor-proto.ts";
import { grpcClient } from "../packages/server/testing/grpc-client.ts";
import { echoSession, serverOfFakes } from "./server-of-fakes.ts";

const echo = echoSession({ x: { dtype: "float32", shape: [null, 2] } });

/** A span as OTLP's JSON has it. */
interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code: number };
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

let collector: Server;
let endpoint: string;
let spans: Span[];
let resources: string[];
beforeEach(async () => {
  [spans, resources] = [[], []];
  collector = createServer(async (request, response) => {
    const chunks: Uint8Array[] = await request.toArray();
    for (const { resource, scopeSpans } of JSON.parse(Buffer.concat(chunks).toString()).resourceSpans) {
      resources.push(JSON.stringify(resource));
      for (const scope of scopeSpans) spans.push(...scope.spans);
    }
    response.setHeader("content-type", "application/json").end("{}");
  });
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
  endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`; // a TCP server has one
});
afterEach(() => new Promise((resolve) => collector.close(resolve)));

const traceId = "0af7651916cd43dd8448eb211c80319c";
const parentId = "b7ad6b7169203331";
const traceparent = `00-${traceId}-${parentId}-01`;

/** A server whose calls are traced, and what resolves once so many were. */
async function tracedServer(sessions: Parameters<typeof serverOfFakes>[0], options: Partial<ServerOptions> = {}) {
  const tracing = await openTracing({
    endpoint,
    onError: (error) => {
      throw error;
    },
  });
  const calls = new EventEmitter();
  let count = 0;
  const server = await serverOfFakes(sessions, {
    ...options,
    onCall: (call) => {
      tracing.onCall(call);
      calls.emit(String(++count));
    },
  });
  const traced = (wanted: number) => (count >= wanted ? Promise.resolve() : once(calls, String(wanted)));
  return { server, tracing, traced };
}

const attributes = (span: Span | undefined) =>
  Object.fromEntries(span?.attributes.map(({ key, value }) => [key, Object.values(value)[0]]) ?? []);

describe("the traces of a server", () => {
  test("E continue the client's, over HTTP and gRPC", async () => {
    const { server, tracing, traced } = await tracedServer({ echo });
    const body = '{"instances": [[1, 2]]}';
    await fetch(`${server.url}/v1/models/echo:predict`, { method: "POST", body, headers: { traceparent } });
    await traced(1);
    await fetch(`${server.url}/livez`); // which nobody wants to see
    await traced(2);
    const client = grpcClient(server.grpcAddress as string, { metadata: { traceparent } });
    const x = toTensorProto({ dtype: "float32", shape: [1, 2], data: Float32Array.of(1, 2) });
    const request = { modelSpec: { name: "echo" }, inputs: new Map([["x", x]]) };
    await client.call("tensorflow.serving.PredictionService", "Predict", request);
    await traced(3);
    client.close();
    await server.close();
    await tracing.close();
    expect(spans.map(({ name, traceId: id, parentSpanId, kind }) => [name, id, parentSpanId, kind])).toEqual([
      ["REST Predict", traceId, parentId, 2],
      ["GRPC Predict", traceId, parentId, 2],
    ]);
    expect(attributes(spans[0])).toMatchObject({
      ...{ "http.request.method": "POST", "url.path": "/v1/models/echo:predict", "http.response.status_code": 200 },
      "nearside.model": "echo",
    });
    expect(attributes(spans[1])).toMatchObject({ "rpc.method": "Predict", "rpc.grpc.status_code": 0 });
    expect(resources[0]).toContain("nearside-server");
    for (const span of spans) expect(BigInt(span.endTimeUnixNano)).toBeGreaterThan(BigInt(span.startTimeUnixNano));
  });

  test.each([
    ["", {}, ["decode", "run", "encode"]],
    [" and waited for its batch", { batching: {} }, ["decode", "queue", "run", "encode"]],
  ])("have spans of what was done, where each run has run%s", async (_what, batching, parts) => {
    const { server, tracing, traced } = await tracedServer({ echo }, { measurePhases: true, ...batching });
    const bodies = [
      [[1, 2]],
      [
        [3, 4],
        [5, 6],
      ],
    ].map((instances) => JSON.stringify({ instances }));
    await Promise.all(bodies.map((body) => fetch(`${server.url}/v1/models/echo:predict`, { method: "POST", body })));
    const client = grpcClient(server.grpcAddress as string);
    const x = toTensorProto({ dtype: "float32", shape: [1, 2], data: Float32Array.of(1, 2) });
    const request = { modelSpec: { name: "echo" }, inputs: new Map([["x", x]]) };
    await client.call("tensorflow.serving.PredictionService", "Predict", request);
    await fetch(`${server.url}/v1/models/echo`); // which runs nothing
    await traced(4);
    client.close();
    await server.close();
    await tracing.close();
    const calls = spans.filter(({ kind }) => kind === 2);
    expect(calls.map(({ name }) => name).sort()).toEqual([
      ...["GRPC Predict", "REST GetModelStatus", "REST Predict", "REST Predict"],
    ]);
    for (const call of calls) {
      const children = spans.filter(({ parentSpanId }) => parentSpanId === call.spanId);
      const isRun = call.name.endsWith("Predict");
      expect(children.map(({ name }) => name)).toEqual(isRun ? parts : []);
      const times = children.flatMap(({ startTimeUnixNano: start, endTimeUnixNano: end }) => [start, end]).map(BigInt);
      const whole = isRun ? [BigInt(call.startTimeUnixNano), BigInt(call.endTimeUnixNano)] : [];
      expect([...times].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))).toEqual(times); // one after the other
      expect([...times.slice(0, 1), ...times.slice(-1)]).toEqual(whole);
      const run = children.find(({ name }) => name === "run");
      if (isRun) {
        expect(attributes(run)).toEqual({
          ...{ "nearside.version": "1", "nearside.signature": "serving_default", "nearside.backend": "cpu" },
        });
      }
    }
  });

  test("begin here where the client has none, and tell of the server's faults", async () => {
    const lost = { ...echo, run: () => Promise.reject(new InferenceError("device-lost", "gone")) };
    const { server, tracing, traced } = await tracedServer({ lost });
    const body = '{"instances": [[1, 2]]}';
    await fetch(`${server.url}/v1/models/lost:predict`, { method: "POST", body, headers: { traceparent: "nonsense" } });
    await traced(1);
    await server.close();
    await tracing.close();
    expect(spans).toEqual([
      expect.objectContaining({ name: "REST Predict", status: expect.objectContaining({ code: 2 }) }),
    ]);
    expect(spans[0]?.parentSpanId).toBeFalsy();
  });

  test("that can't be sent are told of", async () => {
    const errors: Error[] = [];
    const tracing = await openTracing({ endpoint: `${endpoint}/nowhere/`, onError: (error) => errors.push(error) });
    collector.removeAllListeners("request").on("request", (_request, response) => response.writeHead(400).end());
    const call = { entrypoint: "REST", api: "Predict", model: "m", path: "POST /p", status: "OK", code: 200 } as const;
    tracing.onCall({ ...call, startMs: 1, durationMs: 1, client: undefined, address: "", header: () => undefined });
    await tracing.close();
    expect(errors).toHaveLength(1);
  });
});
