import { EventEmitter, once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceError, type RunInputs, type Session, withoutImages } from "@nearside/core";
import { createServer, type InferenceServer } from "@nearside/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { toTensorProto } from "../packages/server/src/protobuf/tensor-proto.ts";
import { writeDoublingModel } from "../packages/server/testing/doubling-model.ts";
import { grpcClient } from "../packages/server/testing/grpc-client.ts";
import { echoSession, serverOfFakes } from "./server-of-fakes.ts";

const echo = echoSession({ x: { dtype: "float32", shape: [null, 2] } });

/** What a server counts: each line's value, by its name and labels. */
async function scrape(server: InferenceServer, path = "/metrics"): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(server.url + path);
  expect(response.headers.get("content-type")).toContain("text/plain; version=0.0.4");
  const lines = (await response.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
  );
}

/** What a server counts, once it is this: a request is counted when its answer was sent, which a client may have before. */
function counted(server: InferenceServer, expected: Readonly<Record<string, number>>) {
  return vi.waitFor(
    async () => {
      const metrics = await scrape(server, "/monitoring/prometheus/metrics");
      expect(Object.fromEntries(metrics)).toMatchObject(expected);
      return metrics;
    },
    { timeout: 30_000 },
  );
}

async function predict(server: InferenceServer, { model = "echo", rows = 1 } = {}) {
  const body = JSON.stringify({ instances: Array.from({ length: rows }, () => [1, 2]) });
  return (await fetch(`${server.url}/v1/models/${model}:predict`, { method: "POST", body })).status;
}

describe("the metrics of a server", () => {
  test("E are what known traffic makes them, over HTTP and gRPC, at both paths", async () => {
    await using server = await serverOfFakes({ echo });
    for (const rows of [1, 2, 3]) expect(await predict(server, { rows })).toBe(200);
    const bad = await fetch(`${server.url}/v1/models/echo:predict`, { method: "POST", body: "{" });
    expect(bad.status).toBe(400);
    await fetch(`${server.url}/v1/models/echo`);
    const client = grpcClient(server.grpcAddress as string);
    const x = toTensorProto({ dtype: "float32", shape: [4, 2], data: new Float32Array(8) });
    const request = { modelSpec: { name: "echo" }, inputs: new Map([["x", x]]) };
    expect(await client.call("tensorflow.serving.PredictionService", "Predict", request)).toMatchObject({ code: 0 });
    const without = { modelSpec: { name: "echo" }, inputs: new Map() };
    expect(await client.call("tensorflow.serving.PredictionService", "Predict", without)).toMatchObject({ code: 3 });
    client.close();

    const rest = 'model_name="echo",API="Predict",entrypoint="REST"';
    const metrics = await counted(server, {
      ':tensorflow:serving:request_count{model_name="echo",status="OK"}': 4,
      ':tensorflow:serving:request_count{model_name="echo",status="INVALID_ARGUMENT"}': 2,
      [`:tensorflow:serving:request_latency_count{${rest}}`]: 3,
      ':tensorflow:serving:request_latency_count{model_name="echo",API="Predict",entrypoint="GRPC"}': 1,
      ':tensorflow:serving:runtime_latency_count{model_name="echo",runtime="cpu"}': 4,
      ':tensorflow:serving:request_example_count_total{model="echo"}': 10,
      ':tensorflow:serving:request_example_counts_bucket{le="2",model="echo"}': 2,
      'nearside_requests_total{entrypoint="REST",api="GetModelStatus",status="OK"}': 1,
      'nearside_model_versions{model="echo",state="available"}': 1,
      nearside_ready: 1,
    });
    expect(metrics.get("process_resident_memory_bytes")).toBeGreaterThan(1e6);
    expect(metrics.get("process_cpu_seconds_total")).toBeGreaterThan(0);
    expect([...(await scrape(server)).keys()]).toContain(
      ':tensorflow:serving:request_count{model_name="echo",status="OK"}',
    );
  });

  test("have TensorFlow Serving's buckets", async () => {
    await using server = await serverOfFakes({ echo });
    await predict(server);
    const latencies = ':tensorflow:serving:request_latency_count{model_name="echo",API="Predict",entrypoint="REST"}';
    const lines = [...(await counted(server, { [latencies]: 1 })).keys()].filter((line) =>
      line.includes("request_latency_bucket"),
    );
    const bounds = lines.map((line) => /le="([^"]+)"/.exec(line)?.[1]);
    expect(bounds).toHaveLength(34);
    expect(bounds.slice(0, 6)).toEqual(["10", "18", "32.4", "58.32", "104.976", "188.957"]);
    expect(bounds.at(-1)).toBe("+Inf");
  });

  test("have no series for models that there are not", async () => {
    await using server = await serverOfFakes({ echo });
    for (const model of ["made-up", "another"]) expect(await predict(server, { model })).toBe(404);
    const unknown = ':tensorflow:serving:request_count{model_name="",status="NOT_FOUND"}';
    const metrics = await counted(server, { [unknown]: 2 });
    expect([...metrics.keys()].filter((line) => line.includes("request_count"))).toEqual([unknown]);
  });

  test("tell of what waits, with batches and without", async () => {
    for (const [batching, waiting] of [
      [undefined, 2],
      [{ maxBatchSize: 3 }, 4],
    ] as const) {
      const events = new EventEmitter();
      const [started, finished] = [once(events, "started"), once(events, "finish")];
      const slow: Session = {
        ...echo,
        run: async (inputs: RunInputs) => {
          events.emit("started");
          await finished;
          return withoutImages(inputs);
        },
      };
      await using server = await serverOfFakes({ slow }, batching && { batching });
      const first = predict(server, { model: "slow", rows: 3 });
      await started;
      const others = [2, 2].map((rows) => predict(server, { model: "slow", rows }));
      const depth = 'nearside_batching_queue_depth{model="slow"}';
      await counted(server, { [depth]: waiting, 'nearside_runs_in_flight{model="slow"}': 3 });
      events.emit("finish");
      expect(await Promise.all([first, ...others])).toEqual([200, 200, 200]);
      const after = await scrape(server);
      expect([after.get(depth), after.get('nearside_runs_in_flight{model="slow"}')]).toEqual([0, 0]);
      if (!batching) continue;
      const batches = ":tensorflow:serving:batching_session:processed_batch_size";
      expect(after.get(`${batches}_sum{model_name="slow"}`)).toBe(7);
      expect(after.get(':tensorflow:serving:batching_session:queuing_latency_count{model_name="slow"}')).toBe(3);
    }
  });

  test("tell what fails on the way", async () => {
    const error = new InferenceError("device-lost", "gone");
    await using server = await serverOfFakes({ lost: { ...echo, run: () => Promise.reject(error) } });
    expect(await predict(server, { model: "lost" })).toBe(503);
    await counted(server, { ':tensorflow:serving:request_count{model_name="lost",status="UNAVAILABLE"}': 1 });
  });
});

describe("the metrics of a model's processes", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "nearside-metrics-"));
    await writeDoublingModel(join(folder, "double", "1"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test("tell what they hold, that one died, and that it runs again", async () => {
    const pids: number[] = [];
    const events = new EventEmitter();
    const restarted = once(events, "restarted");
    await using server = createServer({
      ...{ models: [{ name: "double", basePath: join(folder, "double") }], host: "127.0.0.1", restPort: 0 },
      backend: "wasm",
      onEvent: (event) => {
        if (event.type === "process") pids.push(event.pid);
        events.emit(event.type);
      },
    });
    await server.listen();
    const labels = '{model="double",backend="wasm"}';
    const before = await scrape(server);
    expect(before.get(`nearside_backend_resident_memory_bytes${labels}`)).toBeGreaterThan(1e6);
    expect(before.get(`nearside_backend_cpu_seconds${labels}`)).toBeGreaterThan(0);
    expect(before.get('nearside_backend_device_bytes{model="double"}')).toBeGreaterThan(0);
    expect(before.get('nearside_model_load_seconds{model="double"}')).toBeGreaterThan(0);
    process.kill(pids[0] as number, "SIGKILL");
    await restarted;
    const after = await scrape(server);
    expect(after.get(`nearside_backend_restarts_total${labels}`)).toBe(1);
    expect(after.get('nearside_backend_losses_total{model="double",backend="wasm",code="device-lost"}')).toBe(1);
    expect(after.get(`nearside_backend_resident_memory_bytes${labels}`)).toBeGreaterThan(1e6);
    expect(pids).toHaveLength(2);
  });
});
