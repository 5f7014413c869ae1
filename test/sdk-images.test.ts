import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createServer, type InferenceServer } from "@nearside/server";
import type { ImageOptions } from "nearside";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { harnessFolder } from "./build-harness.ts";
import { type Cdn, serveCdn } from "./cdn.ts";
import { launchChromium } from "./chromium.ts";
import { openPage } from "./digits-pages.ts";
import { brighterModel, fillModel, pixelSumsModel, writeModels } from "./hand-made-models.ts";
import type { Picture } from "./harness/images.ts";
import type { Target } from "./harness/target.ts";
import golden from "./resize-golden.json" with { type: "json" };

let folder: string;
let site: Cdn;
let server: InferenceServer;
let browser: Browser;
let page: Page;
beforeAll(async () => {
  folder = await writeModels({ "brighter/1": brighterModel, "sums/1": pixelSumsModel, "fill/1": fillModel });
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

type Backend = "webgpu" | "webgl" | "wasm" | "cpu";
const openModel = (name: "brighter" | "sums" | "fill", backend: Backend): Target => ({
  open: `${site.origin}/models/${name}/1/model.json`,
  options: { backend },
});
const open = (backend: Backend) => () => openModel("brighter", backend);
const onServer = (): Target => ({ connect: server.url as string, model: "brighter" });

/** So often that a recorded run is checked and repeated. */
const times = 4;

/** The picture that the golden sizes are of. */
const golden13 = { height: 13, width: 17 } satisfies Picture;

const run = (target: Target, options: ImageOptions, { endWorker = false, picture = golden13 as Picture } = {}) =>
  page.evaluate(
    ([target, picture, times, options, endWorker]) =>
      globalThis.harness.runImage(target, picture, times, options, endWorker),
    [target, picture, times, { ...options, scale: 0.5 }, endWorker] as const, // the model doubles it
  );

/** The pixels of a picture on black. */
function pixelsOf({ width, height, seed = 0, alpha = 255 }: Picture): readonly number[] {
  return Array.from({ length: width * height * 3 }, (_, at) => {
    const [y, x, c] = [Math.floor(at / 3 / width), Math.floor(at / 3) % width, at % 3];
    return (((37 * y + 91 * x + 53 * c + 7 * x * y + seed) % 256) * alpha) / 255;
  });
}

function expectNear(got: readonly number[], want: readonly number[], error = 2e-3): void {
  expect(got).toHaveLength(want.length);
  expect(Math.max(...want.map((value, at) => Math.abs(value - (got[at] as number))))).toBeLessThan(error); // of 255
}

describe.each([
  ["webgpu", open("webgpu"), "local"],
  ["webgl", open("webgl"), "local"],
  ["wasm", open("wasm"), "local"],
  ["cpu", open("cpu"), "local"],
  ["a server", onServer, "server"],
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
    ["of one pixel", { width: 1, height: 1 }],
    ["of one row", { width: 5, height: 1 }],
    ["longer than a texture may be", { width: 8200, height: 1 }],
    ["half transparent, on black", { width: 6, height: 5, alpha: 128 }],
    ["wholly transparent", { width: 2, height: 2, alpha: 0 }],
  ] as const)("%s is itself in its own size", async (_what, picture) => {
    const { runs, read } = await run(target(), {}, { picture });
    const error = "alpha" in picture ? 1.01 : 2e-3; // which browsers multiply by, and round
    for (const each of runs) expectNear(each, pixelsOf(picture), error);
    for (const each of runs)
      expectNear(
        each,
        read.map((value) => 2 * value),
      );
  });

  test("of one pixel is of this colour in any size", async () => {
    const picture = { width: 1, height: 1, seed: 7 };
    const { runs } = await run(target(), { size: [3, 4] }, { picture });
    for (const each of runs) expectNear(each, Array.from({ length: 12 }, () => pixelsOf(picture)).flat());
  });

  test("beside others, and beside tensors, has its own pixels", async () => {
    const { got, want } = await page.evaluate(
      ([target, count, rounds]) => globalThis.harness.runImagesTogether(target, count, rounds),
      [target(), 4, 3] as const,
    );
    for (const [at, each] of got.entries()) {
      const input = want[(at >> 1) % want.length] as number[]; // of the picture, and of the tensor made of it
      expectNear(
        each,
        input.map((value) => 2 * value),
        1e-5,
      );
    }
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

test.each(["webgpu", "wasm"] as const)("on %s runs begin in their order, on what was given then", async (backend) => {
  const sums = await page.evaluate((target) => globalThis.harness.runInOrder(target), openModel("sums", backend));
  expect(sums).toEqual([
    [1, 1, 1],
    [11, 21, 31],
  ]);
});

test.each([
  ["wasm", open("wasm")],
  ["a server", onServer],
] as const)("a tensor may be filled anew when its run on %s was begun", async (_name, target) => {
  const got = await page.evaluate(([target, times]) => globalThis.harness.runAndRefill(target, times), [
    target(),
    times,
  ] as const);
  expect(got).toEqual(Array.from({ length: times }, () => [2, 4, 6]));
});

test("an image is run again when its worker fails while it is copied, and the copy is closed", async () => {
  const { y, copies, isPictureOpen } = await page.evaluate(
    (target) => globalThis.harness.failWhileCopying(target),
    open("wasm")(),
  );
  expectNear(
    y,
    pixelsOf({ width: 3, height: 2 }).map((value) => 2 * value),
  );
  expect([copies, isPictureOpen]).toEqual([[false, false], true]);
});

test.each([
  ["wasm", open("wasm")],
  ["a server", onServer],
] as const)("an image that is taken back at once on %s can be run again", async (_name, target) => {
  const { outcome, y } = await page.evaluate((target) => globalThis.harness.abortImage(target), target());
  expect(outcome).toMatchObject({ error: { message: "Error: enough" } });
  expectNear(
    y,
    pixelsOf({ width: 3, height: 2 }).map((value) => 2 * value),
  );
});

test.each([
  ["for a tensor of integers", "fill", "dims", false, "expected int32 [?], got float32 [1,2,3,3]"],
  ["that was closed", "brighter", "x", true, 'input "x": its image was closed'],
] as const)("an image %s is refused", async (_what, model, name, isClosed, message) => {
  const outcome = await page.evaluate(
    ([target, name, isClosed]) => globalThis.harness.refuseImage(target, name, isClosed),
    [openModel(model, "wasm"), name, isClosed] as const,
  );
  expect(outcome).toEqual({ error: { code: "invalid-argument", message: expect.stringContaining(message) } });
});

test("a page that can't call a server from a worker does it itself, though an image's reader failed at first", async () => {
  await page.route("**/server-*.js", (route) => route.abort());
  await page.route("**/images-*.js", (route) => route.abort(), { times: 1 });
  const [first, second] = await page.evaluate((target) => globalThis.harness.runImageTwice(target), onServer());
  await page.unroute("**/server-*.js");
  expect(first).toMatchObject({ error: { message: expect.stringContaining("the worker that reads it failed") } });
  expectNear(
    second && "value" in second ? second.value : [],
    pixelsOf({ width: 3, height: 2 }).map((value) => 2 * value),
  );
});
