import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Tensor } from "@nearside/core";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchChromium } from "./chromium.ts";
import { type Drawing, drawings } from "./drawings.ts";
import { readExample } from "./models.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

let demo: ChildProcess;
let url: string;

beforeAll(async () => {
  const args = ["demo/start.mjs", "--port", "0", "--server-port", "0"];
  demo = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  url = await printedUrl(demo);
});
afterAll(() => demo?.kill("SIGKILL"));

async function printedUrl(child: ChildProcess): Promise<string> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    lines.push(line);
    const found = /^Demo: (http:\/\/localhost:\d+\/)$/.exec(line);
    if (found) return found[1] as string;
  }
  throw new Error(`the demo ended without an address:\n${lines.join("\n")}`);
}

/** A visit of the page that is ready to be drawn on, and what it asked the network and said on the console. */
async function visit(browser: Browser, query = "") {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const requests: string[] = [];
  const complaints: string[] = [];
  page.context().on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(url + query);
  await ready(page);
  return { page, requests, complaints };
}

async function ready(page: Page): Promise<void> {
  await page.waitForFunction(() => document.documentElement.dataset.state !== "opening");
  expect(await page.locator("html").getAttribute("data-state")).toBe("ready");
}

/** Draws with the mouse, and waits until the page has read the drawing as it is then. */
async function draw(page: Page, { strokes }: Drawing): Promise<void> {
  await page.locator("#clear").click();
  const box = await page.locator("#pad").boundingBox();
  if (!box) throw new Error("there is no pad to draw on");
  const at = ([x, y]: readonly [number, number]) =>
    [box.x + (x * box.width) / 280, box.y + (y * box.height) / 280] as const;
  for (const [first, ...rest] of strokes) {
    await page.mouse.move(...at(first as [number, number]));
    await page.mouse.down();
    for (const point of rest) await page.mouse.move(...at(point));
    await page.mouse.up();
  }
  await page.waitForFunction(() => document.documentElement.dataset.busy === "false");
}

async function result(page: Page) {
  const bars = page.locator("#probabilities [data-digit]");
  const probabilities = await bars.evaluateAll((items) => items.map((item) => Number(item.dataset.probability)));
  return {
    digit: await page.locator("#digit").textContent(),
    backend: await page.locator("#backend").textContent(),
    location: await page.locator("#backend").getAttribute("data-location"),
    probabilities,
  };
}

const clean = (digit: number) =>
  drawings.find((drawing) => drawing.digit === digit && /clean/.test(drawing.style)) as Drawing;

/** Drops a folder of this machine, as a file manager would. */
async function dropFolder(page: Page, target: string, folder: string): Promise<void> {
  await page.locator(target).scrollIntoViewIfNeeded();
  const box = await page.locator(target).boundingBox();
  if (!box) throw new Error(`there is no ${target} to drop on`);
  const devtools = await page.context().newCDPSession(page);
  const place = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    const data = { items: [], files: [folder], dragOperationsMask: 1 };
    await devtools.send("Input.dispatchDragEvent", { type, ...place, data });
  }
}

async function expectState(page: Page, state: "ready" | "error"): Promise<void> {
  const section = page.locator("#own-model:is([data-state=ready], [data-state=error])");
  await section.waitFor();
  const message = await page.locator("#own-error-message").textContent();
  expect(await page.locator("#own-model").getAttribute("data-state"), message ?? "").toBe(state);
}

const ownModelReady = (page: Page) => expectState(page, "ready");

/** What the page itself fetches: its workers and their WebAssembly, and where its server is. */
const isPartOfPage = (request: string) =>
  request.startsWith(`${url}assets/`) || request.startsWith(`${url}config.json`);

describe("the demo in a browser with WebGPU", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  test("recognises a 3 and a 7 that the mouse draws, on webgpu, and complains of nothing", async () => {
    const { page, complaints } = await visit(browser);
    for (const digit of [7, 3]) {
      await draw(page, clean(digit));
      const found = await result(page);
      expect(found).toMatchObject({ digit: String(digit), backend: "webgpu", location: "local" });
      expect(found.probabilities[digit]).toBeGreaterThan(0.9);
    }
    mkdirSync(`${root}test/results`, { recursive: true });
    const folder = process.env.UPDATE_SCREENSHOT ? "demo" : "test/results";
    await page.screenshot({ path: `${root}${folder}/screenshot.png` });
    expect(complaints).toEqual([]);
  });

  test("asks the network for no shard after a reload", async () => {
    const { page, requests } = await visit(browser);
    const shards = () => requests.filter((request) => request.endsWith(".bin"));
    expect(shards()).not.toEqual([]); // a new context, so an empty cache: the requests of a worker are seen
    requests.length = 0;
    await page.reload();
    await ready(page);
    expect(requests.filter((request) => request.endsWith("model.json"))).not.toEqual([]);
    expect(shards()).toEqual([]);
    await draw(page, clean(3));
    expect(await result(page)).toMatchObject({ digit: "3", backend: "webgpu" });
    expect(Number(await page.locator("#source").getAttribute("data-network-bytes"))).toBe(0);
    expect(Number(await page.locator("#source").getAttribute("data-cached-bytes"))).toBeGreaterThan(100_000);
  });

  test("the server's probabilities agree with the browser's within 1e-4", async () => {
    const { page, complaints } = await visit(browser);
    await draw(page, clean(3));
    const here = await result(page);
    await page.locator("label:has(input[name=where][value=server])").click();
    await page.waitForFunction(() => document.querySelector("#backend")?.getAttribute("data-location") === "server");
    await page.waitForFunction(() => document.documentElement.dataset.busy === "false");
    const there = await result(page);
    expect(there).toMatchObject({ digit: "3", backend: "server (wasm)", location: "server" });
    for (const [digit, probability] of here.probabilities.entries()) {
      expect(Math.abs((there.probabilities[digit] as number) - probability)).toBeLessThan(1e-4);
    }
    expect(complaints).toEqual([]);
  });

  test("runs on the server without a word from the user where local backends are off", async () => {
    const { page, complaints } = await visit(browser, "?backend=none");
    await draw(page, clean(7));
    const found = await result(page);
    expect(found).toMatchObject({ digit: "7", backend: "server (wasm)", location: "server" });
    expect(found.probabilities[7]).toBeGreaterThan(0.9);
    expect(complaints).toEqual([]);
  });

  test("converts a SavedModel folder that is dropped on it, and runs it as TensorFlow does", async () => {
    const { page, requests, complaints } = await visit(browser);
    const { savedModel, golden } = await readExample("linear-regression");
    requests.length = 0;
    await dropFolder(page, "#own-drop", savedModel);
    await ownModelReady(page);
    expect(await page.locator("#own-model").getAttribute("data-backend")).toBe("webgpu");
    expect(await page.locator("#own-size").textContent()).toBe("8 bytes in 1 file");
    for (const { inputs, outputs } of golden) {
      const { shape, data } = inputs.x as Tensor<"float32">;
      expect(shape[1]).toBe(1);
      await page.locator("[data-input=x]").fill(JSON.stringify(Array.from(data, (value) => [value])));
      await page.locator("#own-form [type=submit]").click();
      await ownModelReady(page);
      const found = ((await page.locator("[data-output=output_0]").textContent()) ?? "").split(", ").map(Number);
      const wanted = (outputs.output_0 as Tensor<"float32">).data;
      expect(found).toHaveLength(wanted.length);
      for (const [index, value] of wanted.entries()) {
        expect(Math.abs((found[index] as number) - value)).toBeLessThanOrEqual(1e-4 + 1e-4 * Math.abs(value));
      }
    }
    expect(requests.filter((request) => !request.startsWith("blob:") && !isPartOfPage(request))).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test("converts a SavedModel folder that is picked, and one without a model ends in a typed error", async () => {
    const { page, complaints } = await visit(browser, "?backend=cpu");
    const { savedModel, golden } = await readExample("digits");
    await page.locator("#own-folder").setInputFiles(`${root}demo/src/style`);
    await expectState(page, "error");
    expect(await page.locator("#own-error-code").textContent()).toBe("not-found");
    expect(await page.locator("#own-error-message").textContent()).toContain("give the SavedModel's folder");

    await page.locator("#own-folder").setInputFiles(savedModel);
    await ownModelReady(page);
    expect(await page.locator("#own-model").getAttribute("data-backend")).toBe("cpu");
    const texts = await page.locator("#own-ports tr").allTextContents();
    expect(texts).toEqual(["inputimagefloat32 [?, 28, 28, 1]", "outputprobabilitiesfloat32 [?, 10]"]);
    // The golden cases are drawings, which nobody writes by hand: that the ten add up to 1 shows that it ran.
    const shown = (await page.locator("[data-output=probabilities]").textContent()) ?? "";
    expect(shown.split(", ")).toHaveLength(golden[0]?.outputs.probabilities?.shape.at(-1) as number);
    expect(shown.split(", ").reduce((sum, text) => sum + Number(text), 0)).toBeCloseTo(1, 4);
    expect(complaints).toEqual([]);
  });

  test("can be drawn on with the keyboard", async () => {
    const { page } = await visit(browser);
    await page.locator("#pad").focus();
    await page.keyboard.press("Space");
    for (let step = 0; step < 8; step++) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Space");
    await page.waitForFunction(() => document.documentElement.dataset.busy === "false");
    expect((await result(page)).digit).toMatch(/^\d$/);
  });
});

test("the demo in a browser without WebGPU runs on wasm", async () => {
  const browser = await launchChromium({ webgpu: false });
  try {
    const { page, complaints } = await visit(browser);
    await draw(page, clean(3));
    expect(await result(page)).toMatchObject({ digit: "3", backend: "wasm", location: "local" });
    // What Chromium itself says whenever a page, or a worker, asks for an adapter and there is none.
    expect(complaints.filter((text) => text !== "Failed to create WebGPU Context Provider")).toEqual([]);
  } finally {
    await browser.close();
  }
});

test("Ctrl-C ends the demo and everything it started", async () => {
  const ended = once(demo, "exit");
  demo.kill("SIGINT");
  expect(await ended).toEqual([0, null]);
  await expect(fetch(url)).rejects.toThrow("fetch failed");
});
