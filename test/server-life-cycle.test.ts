import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { Agent, request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { InferenceError, type Session } from "@nearside/core";
import { createServer, type InferenceServer, type ServerEvent, type ServerOptions } from "@nearside/server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { encodeProto } from "../packages/server/src/protobuf/codec.ts";
import { toTensorProto } from "../packages/server/src/protobuf/tensor-proto.ts";
import { doublingShard, writeDoublingModel } from "../packages/server/testing/doubling-model.ts";
import { fakeSession } from "../packages/server/testing/fake-repository.ts";
import { grpcClient } from "../packages/server/testing/grpc-client.ts";
import { writeWarmUpRequests } from "../packages/server/testing/warm-up-file.ts";

/** How versions come and go, as the trusted servers test it: cases B1 to B15 of the acceptance list. */

let folder: string;
let events: ServerEvent[];
let servers: InferenceServer[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-life-"));
  [events, servers] = [[], []];
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await rm(folder, { recursive: true });
});

const path = (...names: string[]) => join(folder, ...names);
const write = (...names: string[]) => writeDoublingModel(path(...names));
const spoil = (...names: string[]) => writeFile(path(...names, doublingShard), "four");
const models = (...names: string[]) => names.map((name) => ({ name, basePath: path(name) }));

function serverOf(options: Partial<ServerOptions>): InferenceServer {
  const server = createServer({
    ...{ host: "127.0.0.1", restPort: 0, grpcPort: 0, cacheDir: path("cache"), maxLoadRetries: 0 },
    onEvent: (event) => events.push(event),
    ...options,
  });
  servers.push(server);
  return server;
}

async function listening(options: Partial<ServerOptions>): Promise<InferenceServer> {
  const server = serverOf(options);
  await server.listen();
  return server;
}

async function predict(server: InferenceServer, model = "m") {
  const body = '{"inputs": [[1, 2]]}';
  const response = await fetch(`${server.url}/v1/models/${model}:predict`, { method: "POST", body });
  return { status: response.status, answer: await response.json() };
}

async function statesOf(server: InferenceServer, model = "m"): Promise<string[]> {
  const response = await fetch(`${server.url}/v1/models/${model}`);
  const { model_version_status: statuses } = await response.json();
  return statuses.map(({ version, state }: Record<string, string>) => `${version} ${state}`);
}

async function isReady(server: InferenceServer): Promise<boolean> {
  return (await fetch(`${server.url}/v2/health/ready`)).ok;
}

/** Opens sessions that compute nothing, as quick as can be. */
const openFake: ServerOptions["openModel"] = async (_model, { manifest }) =>
  fakeSession(manifest.signature, () => ({}));

describe("the life of a version", () => {
  test("B1 a file of models that is wrong keeps the server from starting; a model that is, doesn't", async () => {
    await writeFile(path("models.config"), 'model_config_list { config { name: "m" base_path: 5 } }');
    const file = { modelConfigFile: { path: path("models.config") } };
    await expect(serverOf(file).listen()).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining("line 1"),
    });
    await expect(serverOf({ modelConfigFile: { path: path("none") } }).listen()).rejects.toMatchObject({
      code: "not-found",
    });
    const [good, bad] = [
      `config { name: "m" base_path: "${path("m")}" }`,
      `config { name: "bad" base_path: "${path("bad")}" }`,
    ];
    await writeFile(path("models.config"), `model_config_list { ${good} ${bad} }`);
    for (const name of ["m", "bad"]) await write(name, "1");
    await spoil("bad", "1");
    const server = await listening(file);
    expect((await predict(server)).status).toBe(200);
    expect(await statesOf(server, "bad")).toEqual(["1 END"]);
    expect((await fetch(`${server.url}/v2/models/bad/ready`)).status).toBe(503);
  });

  test("B2 a corrupt model that is repaired is loaded by a retry", async () => {
    await write("m", "1");
    await spoil("m", "1");
    let repair: () => void = () => {};
    const available = new Promise<void>((resolve) => {
      repair = resolve;
    });
    const onEvent = ({ type }: ServerEvent) => type === "available" && repair();
    const server = await listening({ models: models("m"), maxLoadRetries: 1000, loadRetryMs: 1, onEvent });
    expect(await isReady(server)).toBe(false);
    await write("m", "1");
    await available;
    expect([(await predict(server)).status, await isReady(server)]).toEqual([200, true]);
  });

  test("B3 a new version that can't be loaded leaves the old one serving", async () => {
    await write("m", "1");
    const server = await listening({ models: models("m") });
    await write("m", "2");
    await spoil("m", "2");
    await server.repository.poll();
    expect(await statesOf(server)).toEqual(["2 END", "1 AVAILABLE"]);
    expect([(await predict(server)).status, await isReady(server)]).toEqual([200, true]);
  });

  test("B4 no request fails while one version takes another's place, over HTTP and gRPC", async () => {
    await write("m", "1");
    const server = await listening({ models: models("m") });
    const client = grpcClient(server.grpcAddress as string); // it listens
    const inputs = new Map([["x", toTensorProto({ dtype: "float32", shape: [1, 2], data: Float32Array.of(1, 2) })]]);
    const statuses = new Map<number, number>();
    const count = (status: number) => statuses.set(status, (statuses.get(status) ?? 0) + 1);
    let isOver = false;
    const overHttp = async () => {
      while (!isOver) count((await predict(server)).status);
    };
    const overGrpc = async () => {
      const request = { modelSpec: { name: "m" }, inputs };
      while (!isOver) count((await client.call("tensorflow.serving.PredictionService", "Predict", request)).code);
    };
    const clients = [overHttp(), overHttp(), overHttp(), overGrpc(), overGrpc(), overGrpc()];
    for (let version = 2; version <= 10; version++) {
      await write("m", String(version));
      await server.repository.poll();
    }
    isOver = true;
    await Promise.all(clients);
    client.close();
    expect([...statuses.keys()].sort()).toEqual([0, 200]); // gRPC's OK and HTTP's
    expect((await statesOf(server))[0]).toBe("10 AVAILABLE");
  });

  test("B5 folders that are added, removed, renamed, doubled, no numbers, or half copied", async () => {
    for (const name of ["00000123", "123", "latest", "1.5", "-4", "99999999999999999999"]) await write("m", name);
    const server = await listening({ models: [{ ...models("m")[0], versions: "all" } as never], openModel: openFake });
    expect(await statesOf(server)).toEqual(["123 AVAILABLE"]);
    await mkdir(path("m", "200")); // nothing in it yet
    await write("m", "124");
    await server.repository.poll();
    expect(await statesOf(server)).toEqual(["124 AVAILABLE", "123 AVAILABLE"]);
    await rename(path("m", "124"), path("m", "125"));
    await rm(path("m", "00000123"), { recursive: true });
    await rm(path("m", "123"), { recursive: true });
    await server.repository.poll();
    expect(server.repository.find({ name: "m" }).version).toBe(125n);
    expect(() => server.repository.find({ name: "m", version: 123n })).toThrow("Specific(m, 123)");
  });

  test.each([
    ["latest { num_versions: 2 }", [3n, 2n]],
    ["latest { }", [3n]],
    ["all { }", [3n, 2n, 1n]],
    ["specific { versions: 1 versions: 3 }", [3n, 1n]],
    ["specific { }", []],
  ])("B6 the policy %s", async (policy, expected) => {
    for (const version of ["1", "2", "3"]) await write("m", version);
    const config = `config { name: "m" base_path: "${path("m")}" model_version_policy { ${policy} } }`;
    await writeFile(path("models.config"), `model_config_list { ${config} }`);
    const server = await listening({ modelConfigFile: { path: path("models.config") }, openModel: openFake });
    expect(
      server.repository
        .versions("m")
        .filter(({ loaded }) => loaded)
        .map(({ version }) => version),
    ).toEqual(expected);
  });

  test("B7 a label goes to a version that is there, and may be moved", async () => {
    for (const version of ["1", "2"]) await write("m", version);
    const labelled = (version: bigint) => [
      { ...models("m")[0], versions: "all", labels: { stable: version } } as never,
    ];
    const server = await listening({ models: labelled(1n) });
    const stable = async () => {
      const response = await fetch(`${server.url}/v1/models/m/labels/stable/metadata`);
      return (await response.json()).model_spec.version;
    };
    expect(await stable()).toBe("1");
    await expect(server.repository.reload(labelled(3n))).rejects.toMatchObject({ code: "failed-precondition" });
    expect(await stable()).toBe("1");
    await server.repository.reload(labelled(2n));
    expect(await stable()).toBe("2");
    await using lenient = await listening({ models: labelled(3n), allowLabelsForUnavailable: true });
    expect((await fetch(`${lenient.url}/v1/models/m/labels/stable/metadata`)).status).toBe(404);
  });

  test("B8 a file of models that changes replaces all of them, and may bring one back", async () => {
    for (const name of ["m", "n"]) await write(name, "1");
    const list = (...names: string[]) =>
      writeFile(
        path("models.config"),
        `model_config_list { ${names.map((name) => `config { name: "${name}" base_path: "${path(name)}" }`).join(" ")} }`,
      );
    await list("m");
    const told = { next: () => {} };
    const onEvent = () => told.next();
    const server = await listening({ modelConfigFile: { path: path("models.config"), pollMs: 5 }, onEvent });
    const until = async (isSo: () => boolean) => {
      while (!isSo()) {
        await new Promise<void>((resolve) => {
          told.next = resolve;
        });
      }
    };
    const serves = (name: string) => server.repository.versions(name).some(({ loaded }) => loaded);
    const ends = (name: string) =>
      server.repository.versions(name).every(({ state }) => state === "unloading" || state === "end");
    await list("n");
    await until(() => serves("n") && ends("m"));
    expect([(await predict(server, "n")).status, (await predict(server, "m")).status]).toEqual([200, 404]);
    await list("m");
    await until(() => serves("m") && ends("n"));
    expect([(await predict(server, "n")).status, (await predict(server, "m")).status]).toEqual([404, 200]);
  });

  test("B9 one model is loaded and unloaded by 32 clients at once, again and again", async () => {
    await write("m", "1");
    let open = 0;
    const openModel: ServerOptions["openModel"] = async (_model, { manifest }) => {
      open++;
      return { ...fakeSession(manifest.signature, () => ({})), close: async () => void open-- };
    };
    const server = await listening({ models: models("m"), openModel });
    const client = async () => {
      for (let round = 0; round < 32; round++) {
        await server.repository.unloadModel("m");
        await server.repository.loadModel("m").catch((error: InferenceError) => {
          expect(error.code).toBe("not-found"); // another client unloaded it at once
        });
      }
    };
    await Promise.all(Array.from({ length: 32 }, client));
    await server.repository.loadModel("m");
    expect([await statesOf(server), open]).toEqual([["1 AVAILABLE"], 1]);
  });

  test("B10 a version is unloaded when the last request that uses it is over", async () => {
    await write("m", "1");
    const { session, started, finish } = slowSession();
    const openModel: ServerOptions["openModel"] = async (_model, { manifest }) => session(manifest.signature);
    const server = await listening({ models: models("m"), openModel });
    const inFlight = predict(server);
    await started;
    await server.repository.reload([]);
    expect(await statesOf(server)).toEqual(["1 UNLOADING"]);
    expect((await predict(server)).status).toBe(404);
    finish();
    expect((await inFlight).status).toBe(200);
    await server.close();
    expect(server.repository.versions("m")).toMatchObject([{ state: "end", error: null }]);
  });

  test("B11 told to stop, it finishes what it accepted, refuses the rest, and exits, connections open or not", async () => {
    await write("m", "1");
    const command = fileURLToPath(new URL("../packages/server/bin/nearside-server.js", import.meta.url));
    const flags = [
      "--model_name=m",
      `--model_base_path=${path("m")}`,
      "--rest_api_port=0",
      "--port=0",
      "--host=127.0.0.1",
    ];
    const child = spawn(process.execPath, [command, ...flags]);
    const exit = once(child, "exit");
    let url = "";
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.startsWith("REST: ")) url = line.slice("REST: ".length);
      if (url !== "") break;
    }
    child.stdout.resume();
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const statuses: number[] = [];
    const send = () =>
      new Promise<void>((resolve, reject) => {
        const sent = httpRequest(`${url}v1/models/m:predict`, { method: "POST", agent }, (response) => {
          statuses.push(response.statusCode ?? 0);
          response.resume().once("end", resolve);
        });
        sent.once("error", reject);
        sent.end('{"inputs": [[1, 2]]}');
      });
    await Promise.all(Array.from({ length: 50 }, send));
    const accepted = Promise.allSettled(Array.from({ length: 8 }, send)); // written to connections that are open
    child.kill("SIGTERM");
    expect(await exit).toEqual([0, null]); // within the test's time, with the agent's connections open
    await accepted;
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(statuses.length).toBeGreaterThanOrEqual(50);
    await expect(fetch(`${url}v2`)).rejects.toThrow();
    agent.destroy();
  });

  test("B12 base paths are looked at once where the poll is 0", async () => {
    await write("m", "1");
    const server = await listening({ models: models("m"), pollMs: 0, openModel: openFake });
    await write("m", "2");
    await new Promise((resolve) => setImmediate(resolve));
    expect(await statesOf(server)).toEqual(["1 AVAILABLE"]);
  });

  test("B14 a version that the device has no memory for fails, and what it held is freed", async () => {
    await write("m", "1");
    const closed: string[] = [];
    let opened = 0;
    const openModel: ServerOptions["openModel"] = async (_model, { manifest, path }): Promise<Session> => {
      if (++opened > 1) throw new InferenceError("out-of-memory", "the device has no memory for it");
      return { ...fakeSession(manifest.signature, () => ({})), close: async () => void closed.push(path) };
    };
    const server = await listening({ models: models("m"), openModel });
    await write("m", "2");
    await server.repository.poll();
    const status = await (await fetch(`${server.url}/v1/models/m/versions/2`)).json();
    expect(status.model_version_status).toMatchObject([{ state: "END", status: { error_code: "RESOURCE_EXHAUSTED" } }]);
    expect([await statesOf(server), closed]).toEqual([["2 END", "1 AVAILABLE"], []]);
  });

  test("B15 a name twice, or another platform, is refused, and what is served goes on", async () => {
    await write("m", "1");
    const server = await listening({ models: models("m") });
    const client = grpcClient(server.grpcAddress as string); // it listens
    const reload = async (config: object[]) => {
      const request = { config: { modelConfigList: { config } } };
      const answer = await client.call("tensorflow.serving.ModelService", "HandleReloadConfigRequest", request);
      return answer.response.status;
    };
    const m = { name: "m", basePath: path("m") };
    expect(await reload([m, m])).toEqual({
      errorCode: 3,
      errorMessage: "Illegal to list model m multiple times in config list",
    });
    expect(await reload([{ ...m, modelPlatform: "torch" }])).toMatchObject({ errorCode: 3 });
    expect(
      await reload([
        { ...m, basePath: "relative" },
        { name: "n", basePath: path("n") },
      ]),
    ).toMatchObject({ errorCode: 3 });
    client.close();
    expect((await predict(server)).status).toBe(200);
    expect(() => serverOf({ models: [...models("m"), ...models("m")] })).toThrow("multiple times");
  });
});

describe("B13 warm-up requests", () => {
  const x = toTensorProto({ dtype: "float32", shape: [1, 2], data: Float32Array.of(1, 2) });
  const log = (inputs: ReadonlyMap<string, object>) =>
    encodeProto("tensorflow.serving.PredictionLog", { predictLog: { request: { modelSpec: { name: "m" }, inputs } } });
  const good = log(new Map([["x", x]]));

  /** A server whose model has these records to warm up with, and how often it ran before it was available. */
  async function warmed(write: () => Promise<void>, options: Partial<ServerOptions> = {}) {
    await writeDoublingModel(path("m", "1"));
    await write();
    let runs = 0;
    const openModel: ServerOptions["openModel"] = async (_model, { manifest }) =>
      fakeSession(manifest.signature, (inputs) => {
        runs++;
        return inputs;
      });
    const server = await listening({ models: models("m"), openModel, ...options });
    return { version: server.repository.versions("m")[0], runs };
  }
  const records =
    (...all: Uint8Array[]) =>
    () =>
      writeWarmUpRequests(path("m", "1"), all);

  test.each<[string, () => Promise<void>, number]>([
    ["none", async () => {}, 0],
    ["an empty file", records(), 0],
    ["two", records(good, good), 2],
    ["a thousand", records(...new Array<Uint8Array>(1000).fill(good)), 1000],
  ])("%s are run before the version is available", async (_what, write, expected) => {
    const { version, runs } = await warmed(write);
    expect([version?.state, runs]).toEqual(["available", expected]);
    expect(version?.loaded?.statistics.success.count).toBe(0); // they are no client's
  });

  test("may be the requests that were kept of a server, and are measured", async () => {
    await writeDoublingModel(path("m", "1"));
    const logging = `sampling_config { sampling_rate: 1 } log_collector_config { filename_prefix: "${path("kept-")}" }`;
    const config = `config { name: "m" base_path: "${path("m")}" logging_config { ${logging} } }`;
    await writeFile(path("models.config"), `model_config_list { ${config} }`);
    const first = await listening({ modelConfigFile: { path: path("models.config") } });
    expect((await predict(first)).status).toBe(200);
    await first.close();
    const [kept = ""] = (await readdir(folder)).filter((name) => name.startsWith("kept-m-"));
    await mkdir(path("m", "1", "assets.extra"));
    await rename(path(kept), path("m", "1", "assets.extra", "tf_serving_warmup_requests"));
    const second = await listening({ modelConfigFile: { path: path("models.config") } });
    const place = { model: "m", version: 1n, path: path("m", "1") };
    expect(events).toContainEqual({
      ...{ type: "warm-up", ...place, records: 1, error: null },
      durationMs: expect.any(Number),
    });
    const metrics = await (await fetch(`${second.url}/metrics`)).text();
    const labels = `{model_path="${path("m", "1")}",status="OK"}`;
    expect(metrics).toContain(`:tensorflow:serving:model_warmup_latency_count${labels} 1`);
    expect(metrics).toContain(`:tensorflow:serving:model_warmup_records_read${labels} 1`);
    expect(metrics).not.toContain(":tensorflow:serving:request_log_count{"); // which counts clients' requests
    expect((await predict(second)).status).toBe(200);
    await second.close();
    expect((await readdir(folder)).filter((name) => name.startsWith("kept-m-"))).toHaveLength(1);
  });

  test("are run as often as is asked for, or not at all", async () => {
    expect((await warmed(records(good), { warmUpIterations: 3 })).runs).toBe(3);
    expect((await warmed(records(good), { warmUpRequests: false })).runs).toBe(0);
  });

  test.each<[string, () => Promise<void>, string, string]>([
    [
      "more than a thousand",
      records(...new Array<Uint8Array>(1001).fill(good)),
      "invalid-argument",
      "exceeds the maximum",
    ],
    [
      "no TFRecord",
      async () => {
        await mkdir(path("m", "1", "assets.extra"));
        await writeFile(path("m", "1", "assets.extra", "tf_serving_warmup_requests"), "no records at all");
      },
      "data-loss",
      "Please verify your warmup data is in TFRecord format.",
    ],
    ["a record that is no log", records(Uint8Array.of(255, 255, 255)), "data-loss", "record 0"],
    ["a log of another kind", records(new Uint8Array()), "unsupported", "Unsupported log_type"],
    ["a request that fails", records(good, log(new Map())), "invalid-argument", "record 1: input size does not match"],
  ])("%s fail the load", async (_what, write, code, message) => {
    const { version } = await warmed(write);
    expect(version).toMatchObject({ state: "end", error: { code, message: expect.stringContaining(message) } });
  });
});

/** A session that runs until it is told to finish. */
function slowSession() {
  let [tellStarted, finish] = [() => {}, () => {}];
  const started = new Promise<void>((resolve) => {
    tellStarted = resolve;
  });
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const session = (signature: Session["signature"]): Session =>
    fakeSession(signature, async ({ x }) => {
      tellStarted();
      await finished;
      return { y: x as never }; // of its shape
    });
  return { session, started, finish: () => finish() };
}
