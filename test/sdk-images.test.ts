import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type InferenceServer } from "@nearside/server";
import type { ImageOptions } from "nearside";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { harnessFolder } from "./build-harness.ts";
import { type Cdn, serveCdn } from "./cdn.ts";
import { launchChromium } from "./chromium.ts";
import { openPage } from "./digits-pages.ts";
import { brighterModel } from "./hand-made-models.ts";
import type { Target } from "./harness/target.ts";
import golden from "./resize-golden.json" with { type: "json" };

let folder: string;
let site: Cdn;
let server: InferenceServer;
let browser: Browser;
let page: Page;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-"));
  await mkdir(join(folder, "brighter", "1"), { recursive: true });
  await writeFile(join(folder, "brighter", "1", "model.json"), brighterModel.json);
  site = await serveCdn({ "/models/": folder, "/": harnessFolder });
  server = createServer({
    models: [{ name: "brighter", basePath: join(folder, "brighter") }],
    host: "127.0.0.1",
    restPort: 0,
    corsOrigins: [site.origin],
  });
  await server.listen();
  browser = await launchChromium();
  page = await openPage(await browser.newContext(), site.origin);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  await site?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const open = (backend: "webgpu" | "webgl" | "wasm" | "cpu") => (): Target => ({
  open: `${site.origin}/models/brighter/1/model.json`,
  options: { backend },
});

/** So often that a recorded run is checked and repeated. */
const times = 4;

const run = (target: Target, options: ImageOptions, { endWorker = false } = {}) =>
  page.evaluate(
    ([target, times, options, endWorker]) => globalThis.harness.runImage(target, times, options, endWorker),
    [target, times, { ...options, scale: 0.5 }, endWorker] as const, // the model doubles it
  );

function expectNear(got: readonly number[], want: readonly number[]): void {
  expect(got).toHaveLength(want.length);
  expect(Math.max(...want.map((value, at) => Math.abs(value - (got[at] as number))))).toBeLessThan(2e-3); // of 255
}

describe.each([
  ["webgpu", open("webgpu"), "local"],
  ["webgl", open("webgl"), "local"],
  ["wasm", open("wasm"), "local"],
  ["cpu", open("cpu"), "local"],
  ["a server", (): Target => ({ connect: server.url as string, model: "brighter" }), "server"],
] as const)("an image run on %s", (_name, target, location) => {
  test.each(golden)("in the size of $size has TensorFlow's pixels", async ({ size, pixels }) => {
    const report = await run(target(), { size: size as [number, number], fit: "stretch" });
    expect(report.location).toBe(location);
    expect(report.runs).toHaveLength(times);
    for (const each of report.runs) expectNear(each, pixels);
    expectNear(
      report.read,
      pixels.map((value) => value / 2),
    );
  });

  test.each([
    { size: [5, 9], fit: "contain", channels: "bgr", layout: "nchw", mean: [1, 2, 3], std: [2, 4, 5] },
    { size: 6, fit: "cover", channels: "grey", mean: 9 },
  ] as const)("by $fit in $channels is what can be read of it", async (options) => {
    const { runs, read } = await run(target(), options);
    for (const each of runs)
      expectNear(
        each,
        read.map((value) => 2 * value),
      );
  });
});

test.each(["webgpu", "wasm"] as const)("an image is run again when the worker of %s is ended", async (backend) => {
  const [{ size, pixels }] = golden as [(typeof golden)[number]];
  const { runs } = await run(open(backend)(), { size: size as [number, number], fit: "stretch" }, { endWorker: true });
  for (const each of runs) expectNear(each, pixels);
});
