import type { GoldenRun } from "@nearside/core/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runGolden } from "./digits-pages.ts";
import { type HarnessPage, openHarness } from "./harness-page.ts";
import { type ConvertedModels, convertModels, readExample } from "./models.ts";

let models: ConvertedModels;
let golden: GoldenRun;
let harness: HarnessPage;
beforeAll(async () => {
  const digits = await readExample("digits");
  golden = digits.golden[0] as GoldenRun; // there is more than none
  models = await convertModels([digits]);
  harness = await openHarness(models.folder);
});
afterAll(async () => {
  await harness?.[Symbol.asyncDispose]();
  await models?.[Symbol.asyncDispose]();
});

test("a visit on webgpu notes that its recorded run was checked, for the next, which computes the same", async () => {
  const target = { open: "/models/digits/model.json", options: { backend: "webgpu" } } as const;
  await runGolden(harness.page, target, golden);
  const [noted] = await harness.page.evaluate(() => globalThis.harness.provenAt());
  expect(noted).toContain("HeadlessChrome"); // the browser, the device, the software
  expect(noted).not.toContain("HASH-OF-THE-WORKER"); // which is what stands in the source
  await harness.page.reload();
  await harness.page.waitForFunction(() => "harness" in globalThis);
  await runGolden(harness.page, target, golden);
  expect(await harness.page.evaluate(() => globalThis.harness.provenAt())).toEqual([noted]);
});
