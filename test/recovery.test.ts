import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Tensors } from "@nearside/core";
import { expectClose, type GoldenRun } from "@nearside/core/testing";
import { createServer } from "@nearside/server";
import type { LocalBackend } from "nearside";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { harnessFolder } from "./build-harness.ts";
import { installDeviceFaults } from "./device-faults.ts";
import { fillModel, fillTo, sumsModel, writeModels } from "./hand-made-models.ts";
import type { Outcome, Target } from "./harness/target.ts";
import { type HarnessPage, openHarness } from "./harness-page.ts";
import { longModel, longModelGolden } from "./long-model.ts";
import { fromPlainTensors, type PlainTensors, toPlainTensors } from "./plain-tensors.ts";

let folder: string;
beforeAll(async () => {
  folder = await writeModels({ long: longModel, sums: sumsModel, fill: fillModel });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let harness: HarnessPage;
beforeEach(async () => {
  harness = await openHarness(folder);
  return () => harness[Symbol.asyncDispose]();
});

async function keep(target: Target): Promise<void> {
  const outcome = await harness.page.evaluate((target) => globalThis.harness.keep(target), target);
  if ("error" in outcome) throw new Error(outcome.error.message);
  harness.files.requests.length = 0;
}

interface RunKept {
  readonly endWorker?: boolean;
  readonly transfer?: boolean;
}

const run = (inputs: Tensors, options: RunKept = {}): Promise<Outcome<PlainTensors>> =>
  harness.page.evaluate(([inputs, options]) => globalThis.harness.runKept(inputs, options), [
    toPlainTensors(inputs),
    options,
  ] as const);
const tell = () => harness.page.evaluate(() => globalThis.harness.tellOfKept());
const endWorker = () => harness.page.evaluate(() => globalThis.harness.endWorker());

async function runLong({ inputs, outputs }: GoldenRun = longModelGolden, options: RunKept = {}): Promise<void> {
  const outcome = await run(inputs, options);
  if ("error" in outcome) throw new Error(outcome.error.message);
  expectClose(fromPlainTensors(outcome.value), outputs);
}

async function runThree(): Promise<void> {
  const outcome = await harness.page.evaluate(
    (inputs) => globalThis.harness.runKeptTogether(inputs, 3),
    toPlainTensors(longModelGolden.inputs),
  );
  if ("error" in outcome) throw new Error(outcome.error.message);
  for (const outputs of outcome.value) expectClose(fromPlainTensors(outputs), longModelGolden.outputs);
}

const long = (backend?: LocalBackend): Target => ({
  open: "/models/long/model.json",
  options: backend ? { backend } : {},
});

describe("a session in a worker", () => {
  test("gives the right result wherever in a run its device is destroyed, and asks the network for nothing of the model", async () => {
    const [worker] = (await readdir(`${harnessFolder}/assets`)).filter((name) => name.startsWith("webgpu-"));
    harness.files.faults.set(`/assets/${worker}`, (bytes) => Buffer.concat([Buffer.from(workerPrelude), bytes]));
    await keep(long("webgpu"));
    await runLong();
    const commands = await armDevice(Number.POSITIVE_INFINITY).then(runLong).then(countCommands);
    const losses = 10;
    for (let loss = 0; loss < losses; loss++) {
      for (let proving = 0; proving < 11; proving++) await runLong(); // the loss may show in the first of them
      await armDevice(Math.floor(((loss + 0.5) / losses) * 3 * commands));
      await runThree(); // of which one or two wait for the device when it goes
    }
    const { backend, events } = await tell();
    expect(backend).toBe("webgpu");
    expect(events.filter((event) => event === "lost webgpu")).toHaveLength(losses);
    expect(harness.files.requests.filter((path) => path.startsWith("/models/"))).toEqual([]);
    expect(harness.page.workers()).toHaveLength(1);
  });

  test.each(["webgpu", "webgl", "wasm", "cpu"] as const)(
    "on %s runs again what its worker was ended in",
    async (backend) => {
      await keep(long(backend));
      await runLong(longModelGolden, { endWorker: true });
      expect(await tell()).toEqual({
        backend,
        location: "local",
        events: [`opened ${backend}`, `lost ${backend}`, `opened ${backend}`],
      });
      expect(harness.files.requests.filter((path) => path.startsWith("/models/"))).toEqual([]);
      expect(harness.page.workers()).toHaveLength(1);
    },
  );

  test("opens again when its worker was ended between runs", async () => {
    await keep(long("wasm"));
    await endWorker();
    await runLong();
    expect((await tell()).events).toEqual(["opened wasm", "lost wasm", "opened wasm"]);
  });

  test("takes the next backend, then the server, and begins again here when that is gone", async () => {
    const models = [{ name: "long", basePath: join(folder, "long") }];
    const corsOrigins = [harness.files.origin];
    const server = createServer({ models, backend: "wasm", host: "127.0.0.1", restPort: 0, corsOrigins });
    await server.listen();
    const fallback = { server: server.url as string, model: "long" }; // it listens
    await keep({ open: "/models/long/model.json", options: { backend: ["wasm", "cpu"], fallback } });
    for (let loss = 0; loss < 2; loss++) await runLong(longModelGolden, { endWorker: true });
    expect((await tell()).backend).toBe("cpu");
    for (let loss = 0; loss < 2; loss++) await runLong(longModelGolden, { endWorker: true });
    expect(await tell()).toMatchObject({ backend: "wasm", location: "server" });
    await server.close();
    await runLong();
    expect(await tell()).toMatchObject({ backend: "wasm", location: "local" });
  });

  test("keeps no values of a model with state: the interrupted run is device-lost, the next begins anew", async () => {
    await keep({ open: "/models/sums/model.json", options: { backend: "wasm" } });
    const sum = async (options: RunKept = {}) => {
      const outcome = await run({ x: { dtype: "float32", shape: [2], data: Float32Array.of(1, 2) } }, options);
      return "error" in outcome ? outcome.error : outcome.value.sum?.data;
    };
    expect(await sum()).toEqual([11, 22]);
    expect(await sum({ endWorker: true })).toMatchObject({
      code: "device-lost",
      message: expect.stringContaining("what the model kept is gone"),
    });
    expect(await sum()).toEqual([11, 22]);
  });

  test("can't run again on inputs that were handed over, and says so", async () => {
    await keep(long("wasm"));
    const outcome = await run(longModelGolden.inputs, { endWorker: true, transfer: true });
    expect(outcome).toMatchObject({ error: { code: "device-lost", message: expect.stringContaining("handed over") } });
    await runLong();
  });

  test("tries everywhere what is too large for its memory, says so, and goes on", async () => {
    await keep({ open: "/models/fill/model.json" });
    expect(await run(fillTo(2 ** 20, 2 ** 20))).toMatchObject({ error: { code: "out-of-memory" } });
    const { events } = await tell();
    expect(events).toEqual([
      ...["opened webgpu", "lost webgpu", "opened webgpu", "lost webgpu"],
      ...["opened wasm", "lost wasm", "opened wasm", "lost wasm"],
      ...["opened cpu", "lost cpu", "opened cpu", "lost cpu"],
    ]);
    expect(await run(fillTo(2, 3))).toEqual({
      value: { y: { dtype: "float32", shape: [2, 3], data: Array(6).fill(3) } },
    });
    expect((await tell()).backend).toBe("webgpu");
  });
});

test("a session outlives the browser's GPU process, and the second crash leaves it on wasm", async () => {
  const crash = async () => {
    const session = await harness.page.context().browser()?.newBrowserCDPSession();
    await session?.send("Browser.crashGpuProcess");
  };
  await keep(long());
  for (const backend of ["webgpu", "webgpu", "wasm"]) {
    await runLong();
    expect((await tell()).backend).toBe(backend);
    await crash();
  }
});

/** Put before the worker's text: counts its device's commands, and does as it is told on a channel. */
const workerPrelude = `{
  const faults = (${installDeviceFaults})(self);
  const channel = new BroadcastChannel("device-faults");
  channel.onmessage = ({ data }) => {
    if (data.destroyAt !== undefined) faults.destroyAt(data.destroyAt);
    channel.postMessage({ commands: faults.commands });
  };
}
`;

/** Asks the worker that is alive, and resolves with the number of commands that it has counted. */
const askWorker = (question: { readonly destroyAt?: number }): Promise<number> =>
  harness.page.evaluate(
    (question) =>
      new Promise<number>((resolve) => {
        const channel = new BroadcastChannel("device-faults");
        channel.onmessage = ({ data }) => {
          channel.close();
          resolve(data.commands);
        };
        channel.postMessage(question);
      }),
    question,
  );
const armDevice = async (destroyAt: number) => void (await askWorker({ destroyAt }));
const countCommands = () => askWorker({});
