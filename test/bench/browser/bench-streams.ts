import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import type { CDPSession, Page } from "playwright";
import buildHarness from "../../build-harness.ts";
import { recurrentModel } from "../../hand-made-models.ts";
import type { LiveReport } from "../../harness/live-streams.ts";
import { openHarness } from "../../harness-page.ts";
import { exampleModels } from "../find-models.mjs";

const usage = "streams [--seconds 60] [--on webgpu,wasm]";
const points = 10;

/** A point of the curve. */
interface Point extends LiveReport {
  readonly seconds: number;
  readonly heapBytes: number;
  /** How much of the time since the point before the page's thread was busy with tasks, and with scripts. */
  readonly taskShare: number;
  readonly scriptShare: number;
}

/**
 * Runs two streams in one page, each over a session in a worker: a clip of a video, always its newest frame, through
 * the digits model, and sound, 600 samples at a time as they come at 16 kHz, through a recurrent model whose every output
 * is compared with what all the blocks before make of it. Prints a curve: what was run, what it holds, how busy the
 * page's thread was. The page's clip and its pictures are made on that thread, too, as far as the browser needs it.
 */
export async function benchStreams(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { seconds: { type: "string", default: "60" }, on: { type: "string", default: "webgpu,wasm" } },
  });
  const [seconds, backends] = [Number(values.seconds), values.on.split(",")];
  if (!(seconds > 0) || !backends.every((name) => name === "wasm" || name === "webgpu")) {
    throw new Error(`npm run bench -- ${usage}`);
  }
  await buildHarness();
  const models = await mkdtemp(join(tmpdir(), "nearside-bench-"));
  try {
    await mkdir(join(models, "recurrent"));
    await writeFile(join(models, "recurrent/model.json"), recurrentModel.json);
    await convert(readDirectory(join(exampleModels, "digits/saved_model")), writeDirectory(join(models, "digits")));
    for (const backend of backends as ("wasm" | "webgpu")[]) {
      await using harness = await openHarness(models);
      const target = (name: string) => ({ open: `/models/${name}/model.json`, options: { backend } });
      console.log(`a video and sound on ${backend}, ${seconds} s`);
      await harness.page.evaluate(([video, sound]) => globalThis.harness.beginLive(video, sound), [
        target("digits"),
        target("recurrent"),
      ] as const);
      await followCurve(harness.page, seconds);
      await harness.page.evaluate(() => globalThis.harness.endLive());
    }
  } finally {
    await rm(models, { recursive: true, force: true });
  }
}

async function followCurve(page: Page, seconds: number): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Performance.enable");
  const startMs = performance.now();
  let before = await measure(devtools);
  for (let point = 1; point <= points; point++) {
    const dueMs = startMs + (point * seconds * 1000) / points;
    await new Promise((resolve) => setTimeout(resolve, dueMs - performance.now()));
    const after = await measure(devtools);
    const share = (key: "TaskDuration" | "ScriptDuration") =>
      ((after[key] ?? 0) - (before[key] ?? 0)) / ((after.Timestamp ?? 0) - (before.Timestamp ?? 0));
    const [taskShare, scriptShare] = [share("TaskDuration"), share("ScriptDuration")];
    const report = await page.evaluate(() => globalThis.harness.tellLive());
    const heapBytes = after.JSHeapUsedSize ?? 0;
    before = await measure(devtools); // without the collection, and what was asked
    console.log(describe({ ...report, seconds: (point * seconds) / points, heapBytes, taskShare, scriptShare }));
  }
}

/** What the page's thread has done since it began, in seconds, and its heap after a collection. */
async function measure(devtools: CDPSession): Promise<Readonly<Record<string, number>>> {
  const { metrics: busy } = await devtools.send("Performance.getMetrics");
  await devtools.send("HeapProfiler.collectGarbage");
  const { metrics: collected } = await devtools.send("Performance.getMetrics");
  const heap = collected.filter(({ name }) => name === "JSHeapUsedSize");
  return Object.fromEntries([...busy, ...heap].map(({ name, value }) => [name, value]));
}

function describe(point: Point): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return [
    `  ${point.seconds.toFixed(0).padStart(3)} s`,
    `${point.frames} frames`,
    `${point.blocks} blocks, ${point.wrongBlocks} wrong`,
    `${point.tensors} tensors, ${(point.deviceBytes / 1e6).toFixed(2)} MB on devices`,
    `heap ${(point.heapBytes / 1e6).toFixed(2)} MB`,
    `page's thread: tasks ${percent(point.taskShare)}, scripts ${percent(point.scriptShare)}`,
    ...(point.failure ? [point.failure] : []),
  ].join(", ");
}
