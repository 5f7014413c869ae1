import { readFile } from "node:fs/promises";
import { expectClose, type GoldenRun } from "@nearside/core/testing";
import { createServer } from "@nearside/server";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { RunReport } from "./harness/harness.ts";
import type { Outcome, Target } from "./harness/target.ts";
import { type HarnessPage, openHarness } from "./harness-page.ts";
import { type ConvertedModels, convertModels, readExample } from "./models.ts";
import { fromPlainTensors, toPlainTensors } from "./plain-tensors.ts";

const manifest = "/models/digits/model.json";
let models: ConvertedModels;
let golden: GoldenRun;
let shards: string[];

beforeAll(async () => {
  const digits = await readExample("digits");
  golden = digits.golden[0] as GoldenRun;
  models = await convertModels([digits]);
  const { weightsManifest } = JSON.parse(await readFile(`${models.folder}/digits/model.json`, "utf8"));
  shards = weightsManifest[0].paths.map((path: string) => `/models/digits/${path}`);
});
afterAll(() => models?.[Symbol.asyncDispose]());

/** Opens and runs in a page whose server has forgotten what it was asked before. */
async function openAndRun({ page, files }: HarnessPage, target: Target): Promise<Outcome<RunReport>> {
  files.requests.length = 0;
  const inputs = toPlainTensors(golden.inputs);
  return page.evaluate(([target, inputs]) => globalThis.harness.openAndRun(target, inputs), [target, inputs] as const);
}

function expectGolden(outcome: Outcome<RunReport>): RunReport {
  if ("error" in outcome) throw new Error(outcome.error.message);
  expectClose(fromPlainTensors(outcome.value.outputs), golden.outputs);
  return outcome.value;
}

describe("in a browser with WebGPU", () => {
  let harness: HarnessPage;
  beforeEach(async () => {
    harness = await openHarness(models.folder);
    return () => harness[Symbol.asyncDispose]();
  });

  test("openSession runs on webgpu, and the second open asks the network for model.json only", async () => {
    const first = expectGolden(await openAndRun(harness, { open: manifest }));
    expect(first).toMatchObject({ backend: "webgpu", location: "local" });
    expect(harness.files.requests).toEqual(expect.arrayContaining(shards));
    const totalBytes = first.progress[0]?.totalBytes as number;
    const totalShaders = first.progress.at(-1)?.totalShaders as number;
    expect(totalShaders).toBeGreaterThan(0);
    const shaders = { compiledShaders: totalShaders, totalShaders };
    const done = { phase: "ready", loadedBytes: totalBytes, totalBytes, ...shaders, cacheFailure: null };
    expect(first.progress.at(-1)).toEqual({ ...done, cachedBytes: 0 });

    await harness.page.reload();
    await harness.page.waitForFunction(() => "harness" in globalThis);
    const second = expectGolden(await openAndRun(harness, { open: manifest }));
    expect(second.backend).toBe("webgpu");
    expect(harness.files.requests.filter((path) => path.startsWith("/models/"))).toEqual([manifest]);
    expect(second.progress.at(-1)).toEqual({ ...done, cachedBytes: totalBytes });
  });

  test("auto measures the backends on the model, and the next visit starts the fastest alone", async () => {
    const auto = { open: manifest, options: { backend: "auto" } } as const;
    const workers = () => {
      const started = harness.files.requests.map((path) => /\/(webgpu|webgl|wasm|cpu)-[^/]*\.js$/.exec(path)?.[1]);
      return started.filter((name) => name !== undefined);
    };
    const first = expectGolden(await openAndRun(harness, auto));
    expect(workers().sort()).toEqual(["wasm", "webgl", "webgpu"]);
    harness.files.requests.length = 0;
    await harness.page.reload();
    await harness.page.waitForFunction(() => "harness" in globalThis);
    const second = expectGolden(await openAndRun(harness, auto));
    expect(second.backend).toBe(first.backend);
    expect(workers()).toEqual([first.backend]);
  });

  test("auto keeps no more than 64 choices, whatever models and versions of the browser come", async () => {
    const keep = (count: number) => harness.page.evaluate(keepChoices, count);
    expect(await keep(64)).toBe(64);
    expectGolden(await openAndRun(harness, { open: manifest, options: { backend: "auto" } }));
    expect(await keep(0)).toBe(1);
  });

  test("openSession keeps nothing where the cache is off", async () => {
    expectGolden(await openAndRun(harness, { open: manifest, options: { cache: false } }));
    expect(await harness.page.evaluate(() => globalThis.harness.cachedKeys())).toEqual([]);
  });

  test("a shard whose SHA-256 is wrong is refused and not cached; the right one is, later", async () => {
    const [shard] = shards as [string];
    harness.files.faults.set(shard, (bytes) => bytes.map((byte, index) => (index === 100 ? byte ^ 1 : byte)));
    const outcome = await openAndRun(harness, { open: manifest });
    expect(outcome).toMatchObject({ error: { code: "data-loss" } });
    expect("error" in outcome && outcome.error.message).toMatch(/expected SHA-256 .* upload the model's files again/);
    const kept = await harness.page.evaluate(() => globalThis.harness.cachedKeys());
    expect(kept.some((key) => shard.includes(key.slice(0, 16)))).toBe(false);

    harness.files.faults.clear();
    expectGolden(await openAndRun(harness, { open: manifest }));
    expect(await harness.page.evaluate(() => globalThis.harness.cachedKeys())).toHaveLength(shards.length);
  });

  test.each([
    ["a shard that is cut short", () => shards[0] as string, (bytes: Uint8Array) => bytes.subarray(1), "data-loss"],
    ["a shard that is missing", () => shards[0] as string, () => ({ status: 404 }), "not-found"],
    ["a shard that the server fails on", () => shards[0] as string, () => ({ status: 500 }), "unavailable"],
    ["a model.json that is missing", () => manifest, () => ({ status: 404 }), "not-found"],
    ["a model.json that is a page", () => manifest, () => new TextEncoder().encode("<html>"), "data-loss"],
    ["a model.json that is cut short", () => manifest, (bytes: Uint8Array) => bytes.subarray(0, 99), "data-loss"],
  ])("%s ends in a typed error, and nothing is cached", async (_what, path, fault, code) => {
    harness.files.faults.set(path(), fault);
    const outcome = await openAndRun(harness, { open: manifest, options: { backend: "wasm" } });
    expect(outcome).toMatchObject({ error: { code } });
    expect(await harness.page.evaluate(() => globalThis.harness.cachedKeys())).toHaveLength(0);
  });

  test("an abort while it opens rejects with the caller's reason", async () => {
    const outcome = await harness.page.evaluate((open) => globalThis.harness.openAndAbort({ open }), manifest);
    expect(outcome).toMatchObject({
      error: { code: "cancelled", message: expect.stringMatching(/the test took it back/) },
    });
  });

  test("a run with transfer hands its inputs over", async () => {
    const outcome = await harness.page.evaluate(
      ([open, inputs]) => globalThis.harness.runAndTransfer({ open }, inputs),
      [manifest, toPlainTensors(golden.inputs)] as const,
    );
    if ("error" in outcome) throw new Error(outcome.error.message);
    expectClose(fromPlainTensors(outcome.value.outputs), golden.outputs);
    expect(outcome.value.left).toEqual([0]);
  });

  test("without a backend and without a fallback the error says what to do", async () => {
    const outcome = await openAndRun(harness, { open: manifest, options: { backend: [] } });
    expect(outcome).toMatchObject({
      error: { code: "no-backend", message: expect.stringMatching(/give it a fallback server/) },
    });
  });

  test("what is no model, no backend and no server is an invalid argument, with what is expected", async () => {
    const gpu = { backend: ["gpu", "wasm"] as unknown as "wasm"[] }; // as JavaScript may have it
    for (const [target, expected] of [
      [{ open: "http://" }, "expected a URL or a Map of files, got http://"],
      [{ open: null as unknown as string }, "expected a URL or a Map of files, got null"],
      [{ open: manifest, options: gpu }, 'expected webgpu,webgl,wasm,cpu, got "gpu"'],
      [{ connect: "localhost:8501", model: "digits" }, "expected http(s)://…, got localhost:8501"],
    ] as const) {
      const outcome = await openAndRun(harness, target);
      expect(outcome).toMatchObject({
        error: { code: "invalid-argument", message: expect.stringContaining(expected) },
      });
    }
  });

  test("a server that is down ends in unavailable, with what to check", async () => {
    const server = createServer({ models: [], host: "127.0.0.1", restPort: 0 });
    await server.listen();
    const url = server.url as string;
    await server.close(); // nobody listens there now
    const outcome = await openAndRun(harness, { connect: url, model: "digits" });
    expect(outcome).toMatchObject({
      error: { code: "unavailable", message: expect.stringMatching(/check that the server runs/) },
    });
  });

  describe("and a server", () => {
    let server: ReturnType<typeof createServer>;
    beforeEach(async () => {
      const served = [{ name: "digits", basePath: `${models.folder}/digits` }];
      const corsOrigins = [harness.files.origin];
      server = createServer({ models: served, backend: "wasm", host: "127.0.0.1", restPort: 0, corsOrigins });
      await server.listen();
      return () => server.close();
    });

    test("connectSession runs the same model there", async () => {
      const target = { connect: server.url as string, model: "digits" };
      const report = expectGolden(await openAndRun(harness, target));
      expect(report).toMatchObject({ backend: "wasm", location: "server" });
    });

    test("connectSession has another worker when the one that calls it is ended", async () => {
      const { page } = harness;
      const target = { connect: server.url as string, model: "digits" };
      await page.evaluate((target) => globalThis.harness.keep(target), target);
      const run = (endWorker: boolean) =>
        page.evaluate(([inputs, endWorker]) => globalThis.harness.runKept(inputs, { endWorker }), [
          toPlainTensors(golden.inputs),
          endWorker,
        ] as const);
      expect(await run(true)).toMatchObject({ error: { code: "unavailable" } }); // nobody knows whether it was run
      expect(await run(false)).toMatchObject({ value: { probabilities: { shape: [1, 10] } } });
      await page.evaluate(() => globalThis.harness.closeKept());
    });

    test("openSession falls back to it when no local backend may run", async () => {
      const fallback = { server: server.url as string, model: "digits" };
      const report = expectGolden(await openAndRun(harness, { open: manifest, options: { backend: [], fallback } }));
      expect(report.location).toBe("server");
    });

    test("openSession opens a model from the server's own origin of model files", async () => {
      const report = expectGolden(await openAndRun(harness, { open: `${server.url}/models/digits/model.json` }));
      expect(report).toMatchObject({ backend: "webgpu", location: "local" });
    });

    test("a model that the server does not have is not-found", async () => {
      const outcome = await openAndRun(harness, { connect: server.url as string, model: "nothing" });
      expect(outcome).toMatchObject({ error: { code: "not-found" } });
    });
  });
});

test("where a page's policy lets no worker start, the error has the browser's reason", async () => {
  await using harness = await openHarness(models.folder, { policy: "require-trusted-types-for 'script'" });
  const outcome = await openAndRun(harness, { open: manifest, options: { backend: "wasm" } });
  expect(outcome).toMatchObject({
    error: { code: "no-backend", message: expect.stringMatching(/no worker: .*TrustedScriptURL/) },
  });
});

test("in a browser without WebGPU openSession runs on wasm", async () => {
  await using harness = await openHarness(models.folder, { webgpu: false });
  const report = expectGolden(await openAndRun(harness, { open: manifest }));
  expect(report).toMatchObject({ backend: "wasm", location: "local" });
  expect(harness.files.requests.filter((path) => path.includes("webgpu"))).toEqual([]); // its worker is not downloaded
});

/** In the page: keeps so many choices more, as if of other models, and returns how many there are then. */
function keepChoices(count: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("nearside-choices");
    opening.onupgradeneeded = () => opening.result.createObjectStore("backends");
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction("backends", "readwrite");
      const store = transaction.objectStore("backends");
      for (let index = 0; index < count; index++) store.put(["wasm"], `another model ${index}`);
      const counting = store.count();
      transaction.oncomplete = () => {
        opening.result.close();
        resolve(counting.result);
      };
      transaction.onerror = () => reject(transaction.error);
    };
  });
}
