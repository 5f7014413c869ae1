import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { harnessFolder } from "./build-harness.ts";
import { launchChromium } from "./chromium.ts";
import { type FileServer, serveFiles } from "./file-server.ts";
import { recurrentModel, writeModels } from "./hand-made-models.ts";

declare global {
  /** What the one file exports. */
  var nearside: typeof import("nearside");
}

let folder: string;
let files: FileServer;
let browser: Browser;
let page: Page;
beforeAll(async () => {
  folder = await writeModels({ recurrent: recurrentModel });
  const bundle = fileURLToPath(new URL("../packages/sdk/bundle/", import.meta.url));
  files = await serveFiles({ "/bundle/": bundle, "/models/": folder, "/": harnessFolder });
  browser = await launchChromium({ webgpu: false });
  page = await browser.newPage();
  await page.goto(`${files.origin}/index.html`);
  const content = 'import * as nearside from "/bundle/nearside.js"; globalThis.nearside = nearside;';
  await page.addScriptTag({ type: "module", content });
  await page.waitForFunction(() => "nearside" in globalThis);
});
afterAll(async () => {
  await browser?.close();
  await files?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

// Elsewhere this code is in files that come later.
describe("bundle/nearside.js", () => {
  test("streams, and hands a state on", async () => {
    const outputs = await page.evaluate(async () => {
      const { openSession, tensor } = globalThis.nearside;
      const session = await openSession("/models/recurrent/model.json", { backend: "wasm" });
      const inputs = (x: number) => ({ x: tensor(new Float32Array(600).fill(x), { shape: [1, 600] }) });
      const found: unknown[] = [];
      for await (const { outputs } of session.stream([1, 5, 7], { inputs, state: { h: "hOut" } })) {
        found.push(outputs.y?.data[599]);
      }
      await session.close();
      return found;
    });
    expect(outputs).toEqual([2, 8, 6]);
  });

  test("reads an image", async () => {
    const data = await page.evaluate(async () => {
      const { image, readImage } = globalThis.nearside;
      const pixels = new ImageData(Uint8ClampedArray.of(255, 0, 51, 255), 1, 1);
      const { data } = await readImage(await image(pixels, { scale: 1 }));
      return [...data];
    });
    expect(data).toEqual([255, 0, 51]);
  });
});
