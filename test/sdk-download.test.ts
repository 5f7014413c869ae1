import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { expectClose, type GoldenRun } from "@nearside/core/testing";
import type { Browser, BrowserContext, Page } from "playwright";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { harnessFolder } from "./build-harness.ts";
import { type Cdn, serveCdn } from "./cdn.ts";
import { launchChromium } from "./chromium.ts";
import type { RunReport } from "./harness/harness.ts";
import type { Outcome, Target } from "./harness/target.ts";
import { readExample } from "./models.ts";
import { fromPlainTensors, toPlainTensors } from "./plain-tensors.ts";

let folder: string;
let golden: GoldenRun;
let shards: readonly ServedShard[];
/** The one shard of the same model in one. */
let whole: ServedShard;
let browser: Browser;

/** A shard as the server has it. */
interface ServedShard {
  readonly path: string;
  readonly bytes: number;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-"));
  const example = await readExample("digits");
  golden = example.golden[0] as GoldenRun;
  shards = await convertTo("digits", example.savedModel, 32_768);
  whole = (await convertTo("whole", example.savedModel, 2 ** 22))[0] as ServedShard;
  browser = await launchChromium({ webgpu: false });
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

async function convertTo(name: string, savedModel: string, shardBytes: number): Promise<readonly ServedShard[]> {
  await convert(readDirectory(savedModel), writeDirectory(join(folder, name)), { shardBytes });
  const { weightsManifest } = JSON.parse(await readFile(join(folder, name, "model.json"), "utf8"));
  const [{ paths, shards }] = weightsManifest as [{ paths: string[]; shards: { bytes: number }[] }]; // as we write it
  return shards.map(({ bytes }, index) => ({ path: `/models/${name}/${paths[index]}`, bytes }));
}

let cdn: Cdn;
let context: BrowserContext;
beforeEach(async () => {
  cdn = await serveCdn({ "/models/": folder, "/": harnessFolder });
  context = await browser.newContext();
  return async () => {
    await context.close();
    await cdn[Symbol.asyncDispose]();
  };
});

async function openPage(): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${cdn.origin}/index.html`);
  await page.waitForFunction(() => "harness" in globalThis);
  return page;
}

async function openAndRun(page: Page, target: Target): Promise<Outcome<RunReport>> {
  return page.evaluate(([target, inputs]) => globalThis.harness.openAndRun(target, inputs), [
    target,
    toPlainTensors(golden.inputs),
  ] as const);
}

function expectGolden(outcome: Outcome<RunReport>): RunReport {
  if ("error" in outcome) throw new Error(outcome.error.message);
  expectClose(fromPlainTensors(outcome.value.outputs), golden.outputs);
  return outcome.value;
}

const digits: Target = { open: "/models/digits/model.json", options: { backend: "wasm" } };
const wholeDigits: Target = { open: "/models/whole/model.json", options: { backend: "wasm" } };
const requestsOf = (path: string) => cdn.requests.filter((request) => request.path === path);
const shardRequests = () => cdn.requests.filter(({ path }) => shards.some((shard) => shard.path === path));
const largest = () => [...shards].sort((a, b) => b.bytes - a.bytes)[0] as (typeof shards)[number];

describe("a download", () => {
  test("has several shards on their way at once, and never more than four", async () => {
    expect(shards.length).toBeGreaterThan(4);
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    for (const { path } of shards) cdn.faults.set(path, [{ after: answered }]);
    const opening = openAndRun(await openPage(), digits);
    await expect.poll(() => shardRequests().length).toBe(4);
    answer();
    expectGolden(await opening);
    expect(shardRequests()).toHaveLength(shards.length);
  });

  test("that is cut at 40 % asks for the missing bytes alone, also when the network is away for a while", async () => {
    const page = await openPage();
    const cutAfter = Math.floor(whole.bytes * 0.4);
    cdn.faults.set(whole.path, [{ cutAfter, when: haveCome(page, cutAfter) }, { status: 503 }, { status: 502 }]);
    const { progress } = expectGolden(await openAndRun(page, wholeDigits));
    const requests = requestsOf(whole.path);
    expect(requests.map(({ status }) => status)).toEqual([200, 503, 502, 206]);
    expect(requests.at(-1)?.range).toBe(`bytes=${cutAfter}-`);
    expect(requests.reduce((sum, { sentBytes }) => sum + sentBytes, 0)).toBe(whole.bytes);
    expect(progress.at(-1)).toMatchObject({ loadedBytes: whole.bytes, totalBytes: whole.bytes, phase: "ready" });
  });

  test("tells bytes and phases as it goes on", async () => {
    const { progress } = expectGolden(await openAndRun(await openPage(), digits));
    const phases = progress.map(({ phase }) => phase).filter((phase, index, all) => phase !== all[index - 1]);
    expect(phases).toEqual(["download", "compile", "ready"]);
    const loaded = progress.map(({ loadedBytes }) => loadedBytes);
    expect(loaded).toEqual(loaded.toSorted((a, b) => a - b));
  });

  test("gets the whole again from a server that knows no ranges", async () => {
    const page = await openPage();
    cdn.faults.set(whole.path, [{ cutAfter: 1000, when: haveCome(page, 1000) }, { ignoresRanges: true }]);
    const { progress } = expectGolden(await openAndRun(page, wholeDigits));
    expect(requestsOf(whole.path).map(({ sentBytes }) => sentBytes)).toEqual([1000, whole.bytes]);
    expect(progress.at(-1)?.loadedBytes).toBe(whole.bytes);
  });

  test("that a server corrupts once is healed by asking again, past the browser's own cache", async () => {
    const { path } = largest();
    cdn.faults.set(path, [{ change: flipByte(100) }]);
    expectGolden(await openAndRun(await openPage(), digits));
    expect(requestsOf(path).map(({ status }) => status)).toEqual([200, 200]);
  });

  test("that is cut and goes on in a corrupted file begins again", async () => {
    const page = await openPage();
    cdn.faults.set(whole.path, [{ cutAfter: 1000, when: haveCome(page, 1000) }, { change: flipByte(2000) }]);
    expectGolden(await openAndRun(page, wholeDigits));
    expect(requestsOf(whole.path).map(({ status }) => status)).toEqual([200, 206, 200]);
  });

  test("waits as long as the server asks for", async () => {
    const { path } = largest();
    cdn.faults.set(path, [{ status: 429, headers: { "retry-after": "1" } }]);
    const page = await openPage();
    const startMs = Date.now();
    expectGolden(await openAndRun(page, digits));
    expect(Date.now() - startMs).toBeGreaterThan(999);
  });

  test("takes a mirror where an address fails, for model.json and for a shard alone", async () => {
    await using mirror = await serveCdn({ "/models/": folder });
    const page = await openPage();
    const options = { backend: "wasm", mirrors: [`${mirror.origin}/models/digits/model.json`] } as const;
    cdn.faults.set("/models/digits/model.json", [{ status: 500 }]);
    expectGolden(await openAndRun(page, { open: "/models/digits/model.json", options }));
    expect(mirror.requests[0]?.path).toBe("/models/digits/model.json");

    await page.evaluate(() => globalThis.harness.clearCache());
    mirror.requests.length = 0;
    cdn.faults.set(largest().path, [{ status: 404 }]);
    expectGolden(await openAndRun(page, { open: "/models/digits/model.json", options }));
    expect(mirror.requests.map(({ path }) => path)).toEqual([largest().path]);
  });
});

/** Resolves when the page has so many bytes of the model that it opens: what of a response waits to be read, a cut takes. */
async function haveCome(page: Page, bytes: number): Promise<void> {
  await page.waitForFunction((bytes) => globalThis.harness.loadedBytes() === bytes, bytes);
}

/** Changes one byte of a file. */
function flipByte(at: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    return changed;
  };
}
