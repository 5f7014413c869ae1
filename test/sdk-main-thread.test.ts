import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { harnessFolder } from "./build-harness.ts";
import { launchChromium } from "./chromium.ts";
import { openPage } from "./digits-pages.ts";
import { type FileServer, serveFiles } from "./file-server.ts";
import { firstRunMarks } from "./harness/first-runs.ts";
import type { Target } from "./harness/target.ts";
import { type ConvertedModels, convertModels, readExample } from "./models.ts";

/** What is a long task to browsers. */
const longTaskMs = 50;

let models: ConvertedModels;
let files: FileServer;
let browser: Browser;
beforeAll(async () => {
  models = await convertModels([await readExample("digits")]);
  files = await serveFiles({ "/models/": models.folder, "/": harnessFolder });
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await files?.[Symbol.asyncDispose]();
  await models?.[Symbol.asyncDispose]();
});

/** An event of Chromium's tracing; times in microseconds, `tdur` of them the thread computed. */
interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly tdur?: number;
}

/** Milliseconds of the processor that each task of the page's thread took between the two marks. */
function tasksBetweenMarks(events: readonly TraceEvent[]): readonly number[] {
  const [begin, end] = [firstRunMarks.begin, firstRunMarks.end].map((mark) => events.find(({ name }) => name === mark));
  if (!begin || !end) throw new Error("the trace has no marks");
  const onPage = events.filter(({ name, pid, tid }) => name === "RunTask" && pid === begin.pid && tid === begin.tid);
  const tasks = onPage.filter(({ ts }) => ts >= begin.ts && ts <= end.ts);
  return tasks.flatMap(({ tdur }) => (tdur === undefined ? [] : [tdur / 1000]));
}

async function trace(page: Page, run: () => Promise<void>): Promise<readonly TraceEvent[]> {
  const categories = ["toplevel", "blink.user_timing", "disabled-by-default-devtools.timeline"];
  await browser.startTracing(page, { categories });
  await run();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  return traceEvents;
}

// The page's timeline counts the time that passes, also while other programs have the processor. So what it calls a long
// task counts as one here if the thread was busy with it for as long, which doesn't depend on what else is running.
describe.each(["webgpu", "wasm"] as const)("from openSession to the tenth result on %s", (backend) => {
  test("the page's thread has no task over 50 ms", async () => {
    const target: Target = { open: "/models/digits/model.json", options: { backend } };
    const context = await browser.newContext(); // with nothing in its cache
    const page = await openPage(context, files.origin);
    let longTasks: readonly number[] = [];
    const events = await trace(page, async () => {
      longTasks = await page.evaluate((target) => globalThis.harness.openAndRunTen(target), target);
    });
    const tasks = tasksBetweenMarks(events);
    await context.close();
    expect(tasks.length).toBeGreaterThan(10); // a run's answer is a task
    const busiest = Math.max(...tasks);
    expect(busiest, `the page's timeline says ${longTasks.join(", ") || "none"}`).toBeLessThan(longTaskMs);
  });
});
