import { cp, rm } from "node:fs/promises";
import { type GoldenRun, sessionSuite, stateSuite } from "@nearside/core/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { recurrentModel, writeModels } from "./hand-made-models.ts";
import type { Target } from "./harness/target.ts";
import { type HarnessPage, openHarness } from "./harness-page.ts";
import { convertModels, readExample } from "./models.ts";
import { toPlainTensors } from "./plain-tensors.ts";

/** Of a name that isn't this machine's, as pages without HTTPS have in a local network. */
const origin = "http://nearside.test";

let folder: string;
let golden: GoldenRun;
let harness: HarnessPage;
beforeAll(async () => {
  const digits = await readExample("digits");
  golden = digits.golden[0] as GoldenRun;
  folder = await writeModels({ recurrent: recurrentModel });
  await using models = await convertModels([digits]);
  await cp(models.folder, folder, { recursive: true });
  harness = await openHarness(folder);
  const { page, files } = harness;
  await page.context().route(`${origin}/**`, async (route) => {
    const { pathname } = new URL(route.request().url());
    await route.fulfill({ response: await route.fetch({ url: `${files.origin}${pathname}` }) });
  });
  await page.goto(`${origin}/index.html`);
  await page.waitForFunction(() => "harness" in globalThis);
});
afterAll(async () => {
  await harness?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe("in a page that isn't secure, where browsers have no locks, no WebGPU and no SHA-256, a session", () => {
  test.each(sessionSuite.map(({ name }) => name))("%s", async (name) => {
    expect(await harness.page.evaluate(() => [isSecureContext, "locks" in navigator])).toEqual([false, false]);
    const target: Target = { open: "/models/digits/model.json" };
    const run = { inputs: toPlainTensors(golden.inputs), outputs: toPlainTensors(golden.outputs) };
    const outcome = await harness.page.evaluate(
      ([name, target, run]) => globalThis.harness.suiteCase(name, target, run),
      [name, target, run] as const,
    );
    expect(outcome).toEqual({ value: null });
  });

  test.each(stateSuite.map(({ name }) => name))("%s", async (name) => {
    const target: Target = { open: "/models/recurrent/model.json" };
    const call = [name, target] as const;
    const outcome = await harness.page.evaluate(([name, target]) => globalThis.harness.stateCase(name, target), call);
    expect(outcome).toEqual({ value: null });
  });
});
