import type { Session } from "@nearside/core";
import { type GoldenRun, sessionSuite } from "@nearside/core/testing";
import { createServer, openSession as openInProcess } from "@nearside/server";
import { connectSession } from "nearside";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PlainRun } from "./harness/harness.ts";
import type { Target } from "./harness/target.ts";
import { type HarnessPage, openHarness } from "./harness-page.ts";
import { type ConvertedModels, convertModels, type ExampleModel, readExample } from "./models.ts";
import { toPlainTensors } from "./plain-tensors.ts";

const names = ["linear-regression", "digits"] as const;

let models: ConvertedModels;
let examples: Record<(typeof names)[number], ExampleModel>;

beforeAll(async () => {
  const [linear, digits] = await Promise.all([readExample("linear-regression"), readExample("digits")]);
  examples = { "linear-regression": linear, digits };
  models = await convertModels(Object.values(examples));
});
afterAll(() => models?.[Symbol.asyncDispose]());

const goldenOf = (name: (typeof names)[number]) => examples[name].golden[0] as GoldenRun; // there is more than none

describe.each(["cpu", "wasm"] as const)("a session in this thread, on %s", (backend) => {
  describe.each(names)("%s", (name) => {
    test.each(sessionSuite.map((suiteCase) => [suiteCase.name, suiteCase] as const))("%s", async (_name, suiteCase) => {
      await suiteCase.run(() => openInProcess(`${models.folder}/${name}`, { backend }), goldenOf(name));
    });
  });
});

describe("a session over HTTP", () => {
  let server: ReturnType<typeof createServer>;
  beforeAll(async () => {
    const served = names.map((name) => ({ name, basePath: `${models.folder}/${name}` }));
    server = createServer({ models: served, host: "127.0.0.1", restPort: 0 });
    await server.listen();
  });
  afterAll(() => server?.close());

  const open = (name: string): Promise<Session> => connectSession(server.url as string, name);
  describe.each(names)("%s", (name) => {
    test.each(sessionSuite.map((suiteCase) => [suiteCase.name, suiteCase] as const))("%s", async (_name, suiteCase) => {
      await suiteCase.run(() => open(name), goldenOf(name));
    });
  });
});

describe("a session in a worker of a real browser", () => {
  let harness: HarnessPage;
  beforeAll(async () => {
    harness = await openHarness(models.folder);
  });
  afterAll(() => harness?.[Symbol.asyncDispose]());

  const runCase = async (caseName: string, target: Target, endWorker: boolean) => {
    const { inputs, outputs } = goldenOf("digits");
    const golden: PlainRun = { inputs: toPlainTensors(inputs), outputs: toPlainTensors(outputs) };
    const outcome = await harness.page.evaluate(
      ([caseName, target, golden, options]) => globalThis.harness.suiteCase(caseName, target, golden, options),
      [caseName, target, golden, { endWorker }] as const,
    );
    expect(outcome).toEqual({ value: null });
  };
  const names = sessionSuite.map((suiteCase) => suiteCase.name);

  describe.each(["webgpu", "webgl", "wasm", "cpu"] as const)("on %s", (backend) => {
    test.each(names)("%s", async (caseName) => {
      await runCase(caseName, { open: "/models/digits/model.json", options: { backend } }, false);
    });
  });

  describe("on wasm, once its worker was ended", () => {
    test.for(names)("%s", async (caseName, ctx) => {
      const isAnsweredSo = caseName === "answers what it was asked before it was closed";
      if (isAnsweredSo) ctx.skip("that its worker was ended is what it answers");
      await runCase(caseName, { open: "/models/digits/model.json", options: { backend: "wasm" } }, true);
    });
  });
});
