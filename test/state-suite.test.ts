import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceError, type Session } from "@nearside/core";
import { stateSuite } from "@nearside/core/testing";
import { createServer, openSession, withBatching } from "@nearside/server";
import { connectSession, withFallback } from "nearside";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { recurrentModel } from "./hand-made-models.ts";
import type { Target } from "./harness/target.ts";
import { type HarnessPage, openHarness } from "./harness-page.ts";

let models: string;
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "nearside-"));
  await mkdir(join(models, "recurrent"));
  await writeFile(join(models, "recurrent/model.json"), recurrentModel.json);
});
afterAll(() => rm(models, { recursive: true, force: true }));

const names = stateSuite.map(({ name }) => name);

/** Tests all cases but those for which there is a reason not to. */
function runSuite(open: () => Promise<Session>, skipped: Readonly<Record<string, string>> = {}): void {
  for (const { name, run } of stateSuite) {
    const reason = skipped[name];
    test(name, async (ctx) => (reason === undefined ? run(open) : ctx.skip(reason)));
  }
}

/** A session that every seventh run finds lost. */
function losing(session: Session): Session {
  let runs = 0;
  const run: Session["run"] = async (inputs, options) => {
    if (++runs % 7 === 0) throw new InferenceError("device-lost", "the test took the device");
    return session.run(inputs, options);
  };
  return new Proxy(session, {
    get: (target, name) => {
      const value: unknown = name === "run" ? run : Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const openHere = (backend: "cpu" | "wasm") => openSession(join(models, "recurrent"), { backend });

describe.each(["cpu", "wasm"] as const)("runs with a state in this thread, on %s", (backend) => {
  runSuite(() => openHere(backend));
});

describe("runs with a state in batches", () => {
  runSuite(async () => withBatching(await openHere("cpu")));
});

describe("runs with a state over HTTP", () => {
  let server: ReturnType<typeof createServer>;
  beforeAll(async () => {
    const served = [{ name: "recurrent", basePath: join(models, "recurrent") }];
    server = createServer({ models: served, host: "127.0.0.1", restPort: 0 });
    await server.listen();
  });
  afterAll(() => server?.close());
  const connect = () => connectSession(server.url as string, "recurrent");

  runSuite(connect);

  describe("as what is fallen back to", () => {
    runSuite(() => withFallback(() => Promise.reject(new Error("not here")), connect));
  });

  describe("as what is fallen back to again and again", () => {
    runSuite(async () => withFallback(losing(await openHere("wasm")), connect), {
      "lets runs of one state that begin together take turns": "one that is run again goes behind those that wait",
    });
  });
});

describe("runs with a state in a worker of a real browser", () => {
  let harness: HarnessPage;
  beforeAll(async () => {
    harness = await openHarness(models);
  });
  afterAll(() => harness?.[Symbol.asyncDispose]());

  describe.each(["webgpu", "webgl", "wasm"] as const)("on %s", (backend) => {
    test.each(names)("%s", async (name) => {
      const target: Target = { open: "/models/recurrent/model.json", options: { backend } };
      const outcome = await harness.page.evaluate(([name, target]) => globalThis.harness.stateCase(name, target), [
        name,
        target,
      ] as const);
      expect(outcome).toEqual({ value: null });
    });
  });
});
