import type { GoldenRun } from "@nearside/core/testing";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { harnessFolder } from "./build-harness.ts";
import { launchChromium } from "./chromium.ts";
import { runGolden } from "./digits-pages.ts";
import { type FileServer, serveFiles } from "./file-server.ts";
import { type ConvertedModels, convertModels, readExample } from "./models.ts";

let models: ConvertedModels;
let golden: GoldenRun;
let files: FileServer;
let browser: Browser;
let page: Page;
beforeAll(async () => {
  const digits = await readExample("digits");
  golden = digits.golden[0] as GoldenRun; // there is more than none
  models = await convertModels([digits]);
  const headers = { "content-security-policy": "sandbox allow-scripts", "access-control-allow-origin": "*" };
  files = await serveFiles({ "/models/": models.folder, "/": harnessFolder }, headers);
  browser = await launchChromium();
  page = await browser.newPage();
  await page.goto(`${files.origin}/index.html`);
  await page.waitForFunction(() => "harness" in globalThis);
});
afterAll(async () => {
  await browser?.close();
  await files?.[Symbol.asyncDispose]();
  await models?.[Symbol.asyncDispose]();
});

describe("in a sandbox, where a page has no origin, no storage and no locks,", () => {
  test.each(["webgpu", "webgl", "wasm", "cpu"] as const)("a model runs on %s, and isn't kept", async (backend) => {
    expect(await page.evaluate(() => origin)).toBe("null");
    const open = `${files.origin}/models/digits/model.json`;
    const { progress } = await runGolden(page, { open, options: { backend } }, golden);
    expect(progress.at(-1)?.cacheFailure).toContain("the browser keeps nothing for this site");
  });

  test("an image is read", async () => {
    const { shape } = await page.evaluate(() => globalThis.harness.readImage("imageData", {}));
    expect(shape).toEqual([1, 2, 4, 3]);
  });
});
