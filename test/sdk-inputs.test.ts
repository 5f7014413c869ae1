import type { AudioOptions, ImageOptions } from "nearside";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { harnessFolder } from "./build-harness.ts";
import { type Cdn, serveCdn } from "./cdn.ts";
import { launchChromium } from "./chromium.ts";
import { openPage } from "./digits-pages.ts";
import type { SourceName } from "./harness/inputs.ts";

let site: Cdn;
let browser: Browser;
let page: Page;
beforeAll(async () => {
  site = await serveCdn({ "/": harnessFolder });
  browser = await launchChromium({ webgpu: false });
  page = await openPage(await browser.newContext(), site.origin);
});
afterAll(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
});

const read = (name: SourceName, options: ImageOptions) =>
  page.evaluate(([name, options]) => globalThis.harness.readImage(name, options), [name, options] as const);

const red = [1, 0, 0];
const blue = [0, 0.2, 1];
const row = [...red, ...red, ...blue, ...blue];

function expectNear(got: readonly number[], want: readonly number[], tolerance = 1e-6): void {
  expect(got).toHaveLength(want.length);
  const errors = want.map((value, index) => Math.abs(value - (got[index] as number)));
  expect(Math.max(...errors)).toBeLessThanOrEqual(tolerance);
}

describe("image", () => {
  test.each(["canvas", "offscreen", "imageData", "bitmap", "blob", "element", "frame"] as const)(
    "reads the pixels of a %s",
    async (name) => {
      const { shape, data } = await read(name, {});
      expect(shape).toEqual([1, 2, 4, 3]);
      expectNear(data, [...row, ...row]);
    },
  );

  test("reads a playing video in the size that the model takes", async () => {
    const { shape, data } = await read("video", { size: [2, 4] });
    expect(shape).toEqual([1, 2, 4, 3]);
    expectNear(data.slice(0, 3), red, 0.05);
    expectNear(data.slice(9, 12), blue, 0.05);
  });

  test("scales, and takes the mean and the deviation of each channel", async () => {
    const options = { scale: 1, mean: [10, 20, 30], std: [2, 4, 5] };
    const { data } = await read("canvas", options);
    expectNear(data.slice(0, 3), [122.5, -5, -6], 1e-4);
    expectNear(data.slice(9, 12), [-5, 7.75, 45], 1e-4);
  });

  test("gives channels in another order, grey alone, or channels first", async () => {
    expectNear((await read("canvas", { channels: "bgr" })).data.slice(9, 12), [1, 0.2, 0]);
    const grey = await read("canvas", { channels: "grey" });
    expect(grey.shape).toEqual([1, 2, 4, 1]);
    expectNear(grey.data.slice(0, 4), [0.299, 0.299, 0.2314, 0.2314]);
    const first = await read("canvas", { layout: "nchw" });
    expect(first.shape).toEqual([1, 3, 2, 4]);
    expectNear(first.data.slice(0, 8), [1, 1, 0, 0, 1, 1, 0, 0]);
  });

  test("cuts off, adds bars or distorts for another aspect ratio", async () => {
    const cover = await read("canvas", { size: 2 });
    expectNear(cover.data, [...red, ...blue, ...red, ...blue]);
    const contain = await read("canvas", { size: 4, fit: "contain" });
    const black = Array(12).fill(0);
    expectNear(contain.data, [...black, ...row, ...row, ...black]);
    const { shape } = await read("canvas", { size: [3, 2], fit: "stretch" });
    expect(shape).toEqual([1, 3, 2, 3]);
  });

  test("says what is wrong", async () => {
    await expect(read("canvas", { size: 0 })).rejects.toThrow("expected a size of whole pixels");
    await expect(read("canvas", { mean: [1, 2] })).rejects.toThrow("expected 3 numbers for mean, got 2");
    for (const wrong of [{ channels: "gray" }, { fit: "fill" }, { layout: "NCHW" }]) {
      const options = wrong as ImageOptions; // as JavaScript may have them
      await expect(read("canvas", options)).rejects.toThrow(
        /expected fit, channels and layout .* got .*(gray|fill|NCHW)/,
      );
    }
    for (const wrong of [{ std: 0 }, { std: [1, 0, 1] }, { scale: Number.NaN }, { mean: Number.POSITIVE_INFINITY }]) {
      await expect(read("canvas", wrong)).rejects.toThrow("expected numbers for scale, mean and std, none of std 0");
    }
    const size = "28" as unknown as number;
    await expect(read("canvas", { size })).rejects.toThrow("expected a size of whole pixels, got 28");
    const nothing = page.evaluate(() => globalThis.harness.readImage("nothing" as SourceName, {}));
    await expect(nothing).rejects.toThrow();
  });
});

describe("frames", () => {
  test("gives the newest frame to whoever takes longer than one", async () => {
    const times = await page.evaluate(() => globalThis.harness.readFrames(5));
    const steps = times.slice(1).map((time, index) => time - (times[index] as number));
    expect(Math.min(...steps)).toBeGreaterThan(3 / 60); // of 30 in a second, three were skipped; some come late
  });

  test.each([
    ["end", "ended"],
    ["empty", "ended"],
    ["abort", "enough"],
  ] as const)("a video that comes to its %s leaves it %s", async (how, outcome) => {
    expect(await page.evaluate((how) => globalThis.harness.endFrames(how), how)).toBe(outcome);
  });
});

describe("frames of a video that can't be played", () => {
  test.each(["before", "while"] as const)("are an error, known %s they are waited for", async (when) => {
    const outcome = await page.evaluate((when) => globalThis.harness.failFrames(when), when);
    expect(outcome).toMatchObject({ error: { code: "unavailable", message: expect.stringContaining("frames: ") } });
  });
});

describe("samples", () => {
  test.each([
    ["end", "ended"],
    ["abort", "enough"],
  ] as const)("that begin after their %s are over", async (how, outcome) => {
    expect(await page.evaluate((how) => globalThis.harness.hearNothing(how), how)).toBe(outcome);
  });

  test("say what is wrong", async () => {
    for (const [rate, length] of [
      [5, 160],
      [Number.NaN, 160],
      [16_000, 0],
      [16_000, 1.5],
    ] as const) {
      const outcome = await page.evaluate(([rate, length]) => globalThis.harness.refuseSamples(rate, length), [
        rate,
        length,
      ] as const);
      expect(outcome).toMatchObject({
        error: { code: "invalid-argument", message: expect.stringContaining("samples: ") },
      });
    }
  });

  test.each([
    ["end", "ended"],
    ["abort", "enough"],
  ] as const)("hears a tone in blocks at the model's rate until its %s", async (how, outcome) => {
    await page.mouse.click(1, 1); // or browsers play nothing
    const hear = (hertz: number) =>
      page.evaluate(([hertz, how]) => globalThis.harness.hearTone(hertz, 16_000, 8, how), [hertz, how] as const);
    const { crossings, ending } = await hear(400);
    expect(ending).toBe(outcome);
    expect(crossings.length).toBeGreaterThanOrEqual(8);
    expect(crossings.some((count) => Math.abs(count - 40) <= 1)).toBe(true); // a busy browser plays others with gaps
  });
});

describe("audio", () => {
  const tone = (hertz: number, sourceRate: number, options: AudioOptions, asBuffer: boolean) =>
    page.evaluate(
      ([hertz, sourceRate, options, asBuffer]) => globalThis.harness.readTone(hertz, sourceRate, options, asBuffer),
      [hertz, sourceRate, options, asBuffer] as const,
    );

  test.each([true, false])(
    "has the tone of an AudioBuffer (%s) at the model's rate, mixed to one channel",
    async (asBuffer) => {
      const { shape, crossings } = await tone(440, 48_000, { rate: 16_000 }, asBuffer);
      expect(shape).toEqual([16_000]);
      expect(Math.abs(crossings - 440)).toBeLessThanOrEqual(1);
    },
  );

  test("cuts off what is too long, and adds silence to what is too short", async () => {
    expect(await tone(100, 16_000, { rate: 16_000, length: 8000 }, false)).toMatchObject({ shape: [8000] });
    expect(await tone(100, 16_000, { rate: 16_000, length: 20_000 }, false)).toMatchObject({ shape: [20_000] });
  });

  test("says what is wrong", async () => {
    for (const options of [
      { rate: 0 },
      { rate: 5, sourceRate: 8000 },
      { rate: Number.NaN, sourceRate: 8000 },
      { rate: 8000, length: -5 },
      { rate: 8000, length: 1.5 },
    ]) {
      const outcome = await page.evaluate((options) => globalThis.harness.refuseAudio(options), options);
      expect(outcome).toMatchObject({
        error: { code: "invalid-argument", message: expect.stringContaining("audio: ") },
      });
    }
  });

  test("of no samples is silence", async () => {
    expect(
      await page.evaluate(() => globalThis.harness.readNoTone({ rate: 16_000, sourceRate: 8000, length: 3 })),
    ).toEqual([0, 0, 0]);
  });
});
