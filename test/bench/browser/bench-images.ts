import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Browser } from "playwright";
import { launchChromium } from "../../chromium.ts";
import { serveFiles } from "../../file-server.ts";
import { brighterModel } from "../../hand-made-models.ts";
import type { ImageCalls } from "./image-frames.ts";
import { buildPages, libraryFolders } from "./pages.ts";

const usage = "images [--frames 100] [--on webgpu,wasm]";
const contenders = ["nearside", "tfjs"] as const;
const rounds = 3;

/** What frames took in a page, in milliseconds each. */
interface Measured {
  readonly frameMs: readonly number[];
  /** How long the page's thread was busy, with drawing the frame, too. */
  readonly threadMs: readonly number[];
  readonly sum: number;
}

/**
 * Full HD frames through a model that only doubles what it is given: what it takes to resize and normalise them, with the
 * SDK and with TensorFlow.js, each in a page of its own, in turn. Prints medians, and the SDK's as a share of the other's.
 * The outputs differ as the filters do: TensorFlow.js takes four pixels of each, whatever lies between.
 */
export async function benchImages(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { frames: { type: "string", default: "100" }, on: { type: "string", default: "webgpu,wasm" } },
  });
  const [frames, backends] = [Number(values.frames), values.on.split(",")];
  if (!(frames > 0) || !backends.every((name) => name === "wasm" || name === "webgpu")) {
    throw new Error(`npm run bench -- ${usage}`);
  }
  const folder = await mkdtemp(join(tmpdir(), "nearside-bench-"));
  const browser = await launchChromium();
  try {
    await mkdir(join(folder, "models"));
    await writeFile(join(folder, "models/model.json"), brighterModel.json);
    await buildPages(
      contenders.map((name) => `images-${name}`),
      join(folder, "pages"),
    );
    const folders = { ...libraryFolders(), "/models/": join(folder, "models"), "/": join(folder, "pages") };
    await using files = await serveFiles(folders);
    for (const backend of backends as ("wasm" | "webgpu")[]) {
      const pages = contenders.map((name) => openPage(browser, `${files.origin}/images-${name}.html`, backend));
      const [ours, theirs] = await measureInTurn(await Promise.all(pages), frames);
      console.log(describe(backend, ours as Measured, theirs as Measured)); // one for each
    }
  } finally {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  }
}

type RunFrames = (
  count: number,
) => Promise<{ readonly times: readonly number[]; readonly sum: number; busyMs: number }>;

async function openPage(browser: Browser, url: string, backend: "wasm" | "webgpu"): Promise<RunFrames> {
  const page = await browser.newPage();
  await page.goto(url);
  await page.waitForFunction(() => "images" in globalThis);
  type Window = typeof globalThis & { readonly images: ImageCalls };
  await page.evaluate((backend) => (globalThis as Window).images.open("/models/model.json", backend), backend);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Performance.enable");
  const busySeconds = async () => {
    const { metrics } = await devtools.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN;
  };
  return async (count) => {
    await page.bringToFront(); // what lies behind is slowed down
    const before = await busySeconds();
    const report = await page.evaluate((count) => (globalThis as Window).images.runFrames(count), count);
    return { ...report, busyMs: 1000 * ((await busySeconds()) - before) };
  };
}

async function measureInTurn(pages: readonly RunFrames[], frames: number): Promise<readonly Measured[]> {
  const all = pages.map(() => ({ frameMs: [] as number[], threadMs: [] as number[], sum: Number.NaN }));
  for (const run of pages) await run(10); // warm
  for (let round = 0; round < rounds; round++) {
    for (const [index, run] of pages.entries()) {
      const { times, sum, busyMs } = await run(frames);
      const measured = all[index] as (typeof all)[number]; // one for each
      measured.frameMs.push(...times);
      measured.threadMs.push(busyMs / frames);
      measured.sum = sum;
    }
  }
  return all;
}

function describe(backend: string, ours: Measured, theirs: Measured): string {
  const line = (name: string, key: "frameMs" | "threadMs") => {
    const [our, their] = [median(ours[key]), median(theirs[key])];
    return `  ${name.padEnd(22)}${our.toFixed(1)} ms, TensorFlow.js ${their.toFixed(1)} ms: ${(our / their).toFixed(2)}×`;
  };
  const off = Math.abs(ours.sum - theirs.sum) / (224 * 224 * 3);
  return [
    `a Full HD frame on ${backend}, to 224 × 224, normalised`,
    line("until its output", "frameMs"),
    line("the page's thread", "threadMs"),
    `  their means differ by ${off.toFixed(3)}`,
  ].join("\n");
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
