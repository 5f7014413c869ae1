import { expectClose, type GoldenRun } from "@nearside/core/testing";
import { createServer } from "@nearside/server";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { harnessFolder } from "./build-harness.ts";
import { type Cdn, serveCdn } from "./cdn.ts";
import { launchChromium } from "./chromium.ts";
import { openPage } from "./digits-pages.ts";
import type { Target } from "./harness/target.ts";
import { type ConvertedModels, convertModels, readExample } from "./models.ts";
import { fromPlainTensors, toPlainTensors } from "./plain-tensors.ts";
import { openGate, type ServerGate } from "./server-gate.ts";

let models: ConvertedModels;
let golden: GoldenRun;
let browser: Browser;
let server: ReturnType<typeof createServer>;
beforeAll(async () => {
  const digits = await readExample("digits");
  golden = digits.golden[0] as GoldenRun;
  models = await convertModels([digits]);
  browser = await launchChromium({ webgpu: false });
  const served = [{ name: "digits", basePath: `${models.folder}/digits` }];
  server = createServer({ models: served, backend: "wasm", host: "127.0.0.1", restPort: 0 });
  await server.listen();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  await models?.[Symbol.asyncDispose]();
});

let site: Cdn;
let gate: ServerGate;
let page: Page;
beforeEach(async () => {
  site = await serveCdn({ "/models/": models.folder, "/": harnessFolder });
  gate = await openGate(server.url as string);
  const context = await browser.newContext();
  page = await openPage(context, site.origin);
  return async () => {
    await context.close();
    await gate[Symbol.asyncDispose]();
    await site[Symbol.asyncDispose]();
  };
});

type Options = NonNullable<Extract<Target, { open: string }>["options"]>;
type When = NonNullable<Options["fallback"]>["when"];

async function keep(backend: NonNullable<Options["backend"]>, when: When = {}): Promise<void> {
  const options = { backend, fallback: { server: gate.origin, model: "digits", when } };
  const target = { open: "/models/digits/model.json", options } as const;
  const outcome = await page.evaluate((target) => globalThis.harness.keep(target), target);
  if ("error" in outcome) throw new Error(outcome.error.message);
}

const tell = () => page.evaluate(() => globalThis.harness.tellOfKept());
const tryRun = (endWorker = false) =>
  page.evaluate(([inputs, options]) => globalThis.harness.runKept(inputs, options), [
    toPlainTensors(golden.inputs),
    { endWorker },
  ] as const);

async function run(endWorker = false): Promise<void> {
  const outcome = await tryRun(endWorker);
  if ("error" in outcome) throw new Error(outcome.error.message);
  expectClose(fromPlainTensors(outcome.value), golden.outputs);
}

describe("openSession with a fallback", () => {
  test("asks the server for nothing while all is well here", async () => {
    await keep("wasm");
    await run();
    expect(await tell()).toEqual({ backend: "wasm", location: "local", events: ["opened wasm"] });
    expect(gate.runTimesMs).toEqual([]);
  });

  test("runs there what breaks here, returns when that is down, and says both", async () => {
    await keep("wasm");
    await run(true);
    await run(true); // lost again too soon, and there is no other backend
    expect((await tell()).location).toBe("server");
    gate.state = "down";
    await run();
    const { location, events } = await tell();
    expect(location).toBe("local");
    expect(events).toEqual([
      ...["opened wasm", "lost wasm", "opened wasm", "lost wasm"],
      ...["opened wasm", "moved wasm"], // the server's
      ...["opened wasm", "moved wasm"],
    ]);
  });

  test("returns when the server answers with something else", async () => {
    await keep("wasm");
    await run(true);
    await run(true);
    expect((await tell()).location).toBe("server");
    gate.state = "garbled";
    await run();
    expect((await tell()).location).toBe("local");
  });

  test("does without a server that is slow, and without a browser that is", async () => {
    await keep("wasm", { latencyBudgetMs: 1 });
    gate.state = "slow";
    await run();
    expect((await tell()).location).toBe("local");
    expect(gate.runTimesMs.length).toBeLessThanOrEqual(1);
  });

  test("is told by the server when to come again, and comes not before", async () => {
    await keep([]);
    gate.state = { retryAfterSeconds: 2 };
    expect(await tryRun()).toMatchObject({ error: { code: "unavailable" } });
    expect(await tryRun()).toMatchObject({ error: { code: "unavailable" } }); // it wasn't asked
    expect(gate.runTimesMs).toHaveLength(1);
    gate.state = "open";
    await expect.poll(async () => "value" in (await tryRun()), { timeout: 30_000 }).toBe(true);
    const [first = 0, second = 0] = gate.runTimesMs;
    expect(second - first).toBeGreaterThanOrEqual(2000);
    await run();
  });

  test("finds a server that was down and is back", async () => {
    await keep([]);
    await run();
    gate.state = "down";
    expect(await tryRun()).toMatchObject({ error: { code: "unavailable" } });
    gate.state = "open";
    await expect.poll(async () => "value" in (await tryRun()), { timeout: 30_000 }).toBe(true);
  });

  test("opens no model here that is over the memory limit", async () => {
    await keep("wasm", { memoryLimitBytes: 100_000 });
    await run();
    expect(await tell()).toEqual({ backend: "wasm", location: "server", events: ["refused", "opened wasm"] });
    const asked = site.requests.filter(({ path }) => path.startsWith("/models/"));
    expect(asked.map(({ path }) => path)).toEqual(["/models/digits/model.json"]);
  });

  test("opens on the server what the CDN has not, and says why", async () => {
    site.faults.set("/models/digits/model.json", [{ status: 404 }, { status: 404 }]); // the page asks, then the worker
    await keep("wasm");
    await run();
    expect((await tell()).events).toEqual(["refused", "opened wasm"]);
  });
});
