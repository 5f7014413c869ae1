import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { toTensorProto } from "../packages/server/src/protobuf/tensor-proto.ts";
import { writeDoublingModel } from "../packages/server/testing/doubling-model.ts";
import { grpcClient } from "../packages/server/testing/grpc-client.ts";
import { echoSession, serverOfFakes } from "./server-of-fakes.ts";

const command = fileURLToPath(new URL("../packages/server/bin/nearside-server.js", import.meta.url));

let folder: string;
let child: ChildProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-shutdown-"));
  await writeDoublingModel(join(folder, "m", "1"));
});
afterEach(async () => {
  child?.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

/** A server's process that serves `m`, its addresses, and its end; once it has written a line that begins like this. */
async function start(...flags: string[]) {
  return startUntil("REST: ", ...flags);
}

async function startUntil(beginning: string, ...flags: string[]) {
  const model = ["--model_name=m", `--model_base_path=${join(folder, "m")}`, "--backend=wasm"];
  const ports = ["--rest_api_port=0", "--port=0", "--host=127.0.0.1"];
  const started = spawn(process.execPath, [command, ...model, ...ports, ...flags]);
  child = started;
  const exit = once(started, "exit");
  const found = { url: "", grpc: "" };
  for await (const line of createInterface({ input: started.stdout })) {
    if (line.startsWith("gRPC: ")) found.grpc = line.slice("gRPC: ".length);
    if (line.startsWith("REST: ")) found.url = line.slice("REST: ".length);
    if (line.startsWith(beginning)) break;
  }
  started.stdout.resume();
  return { ...found, exit, kill: (signal: NodeJS.Signals) => started.kill(signal), pid: started.pid as number };
}

function predict(url: string, agent?: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}v1/models/m:predict`, { method: "POST", ...(agent && { agent }) }, (response) => {
      response.resume().once("end", () => resolve(response.statusCode ?? 0));
    });
    sent.once("error", reject);
    sent.end('{"inputs": [[1, 2]]}');
  });
}

describe("SIGTERM", () => {
  test("B11 under load fails no request that was accepted, over HTTP and gRPC", async () => {
    const server = await start("--enable_batching", "--shutdown_drain_seconds=3");
    const agent = new Agent({ keepAlive: true });
    const client = grpcClient(server.grpc);
    const x = toTensorProto({ dtype: "float32", shape: [1, 2], data: Float32Array.of(1, 2) });
    const message = { modelSpec: { name: "m" }, inputs: new Map([["x", x]]) };
    let answered = 0;
    let isReady = true;
    const failures: unknown[] = [];
    const overHttp = async () => {
      const status = await predict(server.url, agent);
      if (status !== 200) failures.push(status);
    };
    const overGrpc = async () => {
      const { code, details } = await client.call("tensorflow.serving.PredictionService", "Predict", message);
      if (code !== 0) failures.push(details);
    };
    const clients = [...Array(12).fill(overHttp), ...Array(4).fill(overGrpc)].map(async (send) => {
      while (isReady) {
        await send().catch((error: unknown) => failures.push(error));
        answered++;
      }
    });
    await vi.waitFor(() => expect(answered).toBeGreaterThan(200), { timeout: 30_000 });
    server.kill("SIGTERM");
    await vi.waitFor(async () => expect((await fetch(`${server.url}readyz`)).status).toBe(503), { timeout: 30_000 });
    isReady = false; // as a balancer that looks at it does, which then sends no more
    await Promise.all(clients);
    expect(failures).toEqual([]);
    expect(await server.exit).toEqual([0, null]);
    await expect(fetch(`${server.url}readyz`)).rejects.toThrow();
    client.close();
    agent.destroy();
  });

  test("B11 waits for what takes longer than the limit no longer than that", async () => {
    const server = await start("--shutdown_drain_seconds=0", "--shutdown_timeout_seconds=1");
    const [backend] = await childrenOf(server.pid);
    process.kill(backend as number, "SIGSTOP"); // so that the run doesn't end
    const inFlight = predict(server.url);
    inFlight.catch(() => {});
    await fetch(`${server.url}livez`); // which is answered after the server has read what came before
    server.kill("SIGTERM");
    expect(await server.exit).toEqual([1, null]);
    await expect(inFlight).rejects.toThrow();
    await vi.waitFor(async () => expect(await isRunning(backend as number)).toBe(false), { timeout: 30_000 });
  });

  test("B11 while a model is loaded ends the server, too", async () => {
    const server = await startUntil("m: loading version 1", "--shutdown_drain_seconds=0");
    server.kill("SIGTERM");
    expect(await server.exit).toEqual([0, null]);
  });

  test("B11 doesn't wait for connections on which nothing was ever asked, of HTTP or gRPC", async () => {
    const server = await start("--shutdown_drain_seconds=0");
    const unused = [new URL(server.url), new URL(`http://${server.grpc}`)].map(({ hostname, port }) =>
      connect(Number(port), hostname),
    );
    try {
      await Promise.all(unused.map((socket) => once(socket, "connect")));
      await fetch(`${server.url}livez`); // which is answered after the server has accepted what came before
      server.kill("SIGTERM");
      expect(await server.exit).toEqual([0, null]);
    } finally {
      for (const socket of unused) socket.destroy();
    }
  });

  test("twice ends the server at once", async () => {
    const server = await start("--shutdown_drain_seconds=600", "--shutdown_timeout_seconds=900");
    server.kill("SIGTERM");
    await vi.waitFor(async () => expect((await fetch(`${server.url}readyz`)).status).toBe(503), { timeout: 30_000 });
    server.kill("SIGTERM");
    expect(await server.exit).toEqual([1, null]);
  });
});

test("a server that drains is not ready for anyone who asks, answers all the same, and closes its connections", async () => {
  const echo = echoSession({ x: { dtype: "float32", shape: [null, 2] } });
  await using server = await serverOfFakes({ echo });
  const client = grpcClient(server.grpcAddress as string);
  const states = async () => [
    (await fetch(`${server.url}/readyz`)).status,
    (await fetch(`${server.url}/v2/health/ready`)).status,
    (await fetch(`${server.url}/livez`)).status,
    (await client.call("grpc.health.v1.Health", "Check", { service: "" })).response.status,
    (await client.call("inference.GRPCInferenceService", "ServerReady", {})).response.ready,
  ];
  expect(await states()).toEqual([200, 200, 200, 1, true]);
  server.drain();
  expect(await states()).toEqual([503, 503, 200, 2, false]);
  const body = '{"instances": [[1, 2]]}';
  const response = await fetch(`${server.url}/v1/models/echo:predict`, { method: "POST", body });
  expect([response.status, response.headers.get("connection")]).toEqual([200, "close"]);
  client.close();
});

/** Whether a process runs or is stopped: one that has ended may stay a zombie until somebody asks what became of it. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat !== "" && !/\) [ZX] /.test(stat);
}

/** The processes that this one has started. */
async function childrenOf(pid: number): Promise<number[]> {
  return (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim().split(" ").map(Number);
}
