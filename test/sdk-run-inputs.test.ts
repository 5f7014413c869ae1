import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FileServer, serveFiles } from "./file-server.ts";
import { brighterModel, writeModels } from "./hand-made-models.ts";
import type { TensorName } from "./harness/run-inputs.ts";
import type { Target } from "./harness/target.ts";
import { type HarnessPage, openHarness } from "./harness-page.ts";

let folder: string;
let harness: HarnessPage;
let elsewhere: FileServer;
beforeAll(async () => {
  folder = await writeModels({ brighter: brighterModel });
  await writeFile(join(folder, "picture.bmp"), bmpOfOnePixel());
  harness = await openHarness(folder);
  elsewhere = await serveFiles({ "/": folder });
});
afterAll(async () => {
  await harness?.[Symbol.asyncDispose]();
  await elsewhere?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** A white pixel, as the format has it: a header of 14 bytes, one of 40, and a row of 4. */
function bmpOfOnePixel(): Buffer {
  const file = Buffer.alloc(58, 0xff);
  const words = [0, 58, 54, 40, 1, 1]; // lengths and offsets of the headers, width, height
  file.write("BM");
  words.slice(1).forEach((word, index) => {
    file.writeUInt32LE(word, [2, 10, 14, 18, 22][index] as number);
  });
  file.writeUInt32LE(0, 6);
  file.writeUInt16LE(1, 26); // planes
  file.writeUInt16LE(24, 28); // bits per pixel
  file.fill(0, 30, 54); // no compression, and what else may be left open
  return file;
}

describe.each(["webgpu", "wasm"] as const)("a run on %s", (backend) => {
  const target: Target = { open: "/models/brighter/model.json", options: { backend } };
  const run = (name: TensorName, transfer = false) =>
    harness.page.evaluate(([target, name, transfer]) => globalThis.harness.runTensor(target, name, { transfer }), [
      target,
      name,
      transfer,
    ] as const);

  test.each(["watched", "with a method", "of a frame", "in WebAssembly's memory"] as const)(
    "takes a tensor %s",
    async (name) => {
      expect(await run(name)).toEqual({ value: [2, 4, 6] });
    },
  );

  test("says so of a buffer that can't be handed over", async () => {
    expect(await run("in WebAssembly's memory", true)).toMatchObject({
      error: { code: "invalid-argument", message: expect.stringContaining("no transfer") },
    });
  });

  test("takes an image that is watched", async () => {
    const outcome = await harness.page.evaluate((target) => globalThis.harness.runWatchedImage(target), target);
    expect(outcome).toEqual({ value: [510, 0, 102].map((value) => expect.closeTo(value, 3)) });
  });
});

test("a picture of another origin that didn't permit it is an invalid argument", async () => {
  const target: Target = { open: "/models/brighter/model.json", options: { backend: "wasm" } };
  const outcomes = await harness.page.evaluate(([target, url]) => globalThis.harness.useForeignImage(target, url), [
    target,
    `${elsewhere.origin}/picture.bmp`,
  ] as const);
  const refused = { error: { code: "invalid-argument", message: expect.stringContaining("crossorigin") } };
  expect(outcomes).toMatchObject([refused, refused]);
});
