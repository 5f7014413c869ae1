import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createServer } from "@nearside/server";
import type { Browser, BrowserContext, Page } from "playwright";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { harnessFolder } from "./build-harness.ts";
import { type Cdn, serveCdn } from "./cdn.ts";
import { launchChromium } from "./chromium.ts";
import {
  convertDigits,
  type DigitsModels,
  flipByte,
  openPage,
  runGolden,
  type ServedShard,
  tryGolden,
} from "./digits-pages.ts";
import type { Target } from "./harness/target.ts";
import { echoSession } from "./server-of-fakes.ts";

let models: DigitsModels;
let browser: Browser;
beforeAll(async () => {
  [models, browser] = await Promise.all([convertDigits(), launchChromium({ webgpu: false })]);
});
afterAll(async () => {
  await browser?.close();
  await models?.[Symbol.asyncDispose]();
});

let cdn: Cdn;
let context: BrowserContext;
beforeEach(async () => {
  cdn = await serveCdn({ "/models/": models.folder, "/": harnessFolder });
  context = await browser.newContext();
  return async () => {
    await context.close();
    await cdn[Symbol.asyncDispose]();
  };
});

const digits: Target = { open: "/models/digits/model.json", options: { backend: "wasm" } };
const whole: Target = { open: "/models/whole/model.json", options: { backend: "wasm" } };
const requestsOf = ({ path }: ServedShard) => cdn.requests.filter((request) => request.path === path);
const shardRequests = () => models.shards.flatMap(requestsOf);
const largest = () => models.shards.toSorted((a, b) => b.bytes - a.bytes)[0] as ServedShard;

describe("a download", () => {
  test("has several shards on their way at once, and never more than four", async () => {
    expect(models.shards.length).toBeGreaterThan(4);
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    for (const { path } of models.shards) cdn.faults.set(path, [{ after: answered }]);
    const opening = runGolden(await openPage(context, cdn.origin), digits, models.golden);
    await expect.poll(() => shardRequests().length).toBe(4);
    answer();
    await opening;
    expect(shardRequests()).toHaveLength(models.shards.length);
  });

  test("that is cut at 40 % asks for the missing bytes alone, also when the network is away for a while", async () => {
    const page = await openPage(context, cdn.origin);
    const cutAfter = Math.floor(models.whole.bytes * 0.4);
    cdn.faults.set(models.whole.path, [{ cutAfter, when: haveCome(page, cutAfter) }, { status: 503 }, { status: 502 }]);
    const { progress } = await runGolden(page, whole, models.golden);
    const requests = requestsOf(models.whole);
    expect(requests.map(({ status }) => status)).toEqual([200, 503, 502, 206]);
    expect(requests.at(-1)?.range).toBe(`bytes=${cutAfter}-`);
    expect(requests.reduce((sum, { sentBytes }) => sum + sentBytes, 0)).toBe(models.whole.bytes);
    expect(progress.at(-1)).toMatchObject({
      loadedBytes: models.whole.bytes,
      totalBytes: models.whole.bytes,
      phase: "ready",
    });
  });

  test("tells bytes and phases as it goes on", async () => {
    const { progress } = await runGolden(await openPage(context, cdn.origin), digits, models.golden);
    const phases = progress.map(({ phase }) => phase).filter((phase, index, all) => phase !== all[index - 1]);
    expect(phases).toEqual(["download", "compile", "ready"]);
    const loaded = progress.map(({ loadedBytes }) => loadedBytes);
    expect(loaded).toEqual(loaded.toSorted((a, b) => a - b));
  });

  test("gets the whole again from a server that knows no ranges", async () => {
    const page = await openPage(context, cdn.origin);
    cdn.faults.set(models.whole.path, [{ cutAfter: 1000, when: haveCome(page, 1000) }, { ignoresRanges: true }]);
    const { progress } = await runGolden(page, whole, models.golden);
    expect(requestsOf(models.whole).map(({ sentBytes }) => sentBytes)).toEqual([1000, models.whole.bytes]);
    expect(progress.at(-1)?.loadedBytes).toBe(models.whole.bytes);
  });

  test("that a server corrupts once is healed by asking again, past the browser's own cache", async () => {
    const { path } = largest();
    cdn.faults.set(path, [{ change: flipByte(100) }]);
    await runGolden(await openPage(context, cdn.origin), digits, models.golden);
    expect(requestsOf(largest()).map(({ status }) => status)).toEqual([200, 200]);
  });

  test("that is cut and goes on in a corrupted file begins again", async () => {
    const page = await openPage(context, cdn.origin);
    cdn.faults.set(models.whole.path, [{ cutAfter: 1000, when: haveCome(page, 1000) }, { change: flipByte(2000) }]);
    await runGolden(page, whole, models.golden);
    expect(requestsOf(models.whole).map(({ status }) => status)).toEqual([200, 206, 200]);
  });

  test("waits as long as the server asks for", async () => {
    const { path } = largest();
    cdn.faults.set(path, [{ status: 429, headers: { "retry-after": "1" } }]);
    const page = await openPage(context, cdn.origin);
    const startMs = Date.now();
    await runGolden(page, digits, models.golden);
    expect(Date.now() - startMs).toBeGreaterThan(999);
  });

  test("takes a mirror where an address fails, for model.json and for a shard alone", async () => {
    await using mirror = await serveCdn({ "/models/": models.folder });
    const page = await openPage(context, cdn.origin);
    const options = { backend: "wasm", mirrors: [`${mirror.origin}/models/digits/model.json`] } as const;
    cdn.faults.set("/models/digits/model.json", [{ status: 500 }]);
    await runGolden(page, { open: "/models/digits/model.json", options }, models.golden);
    expect(mirror.requests[0]?.path).toBe("/models/digits/model.json");

    await page.evaluate(() => globalThis.harness.clearCache());
    mirror.requests.length = 0;
    cdn.faults.set(largest().path, [{ status: 404 }]);
    await runGolden(page, { open: "/models/digits/model.json", options }, models.golden);
    expect(mirror.requests.map(({ path }) => path)).toEqual([largest().path]);
  });
});

describe("the headers of a model", () => {
  const headers = { authorization: "Bearer s3cret" };

  test("go with every request for its files, also with one for what is missing, and are kept nowhere", async () => {
    const { path, bytes } = models.whole;
    const page = await openPage(context, cdn.origin);
    const cutAfter = Math.floor(bytes / 2);
    const when = page.waitForFunction((count) => globalThis.harness.loadedBytes() === count, cutAfter);
    cdn.faults.set(path, [{ cutAfter, when }]);
    cdn.faults.set("/models/whole/model.json", [{ status: 503 }]); // the page's; the worker asks again
    await runGolden(page, { open: "/models/whole/model.json", options: { backend: "wasm", headers } }, models.golden);
    const asked = cdn.requests.filter((request) => request.path.startsWith("/models/"));
    expect(asked.map(({ path, status, authorization }) => [path, status, authorization])).toEqual([
      ["/models/whole/model.json", 503, headers.authorization],
      ["/models/whole/model.json", 200, headers.authorization],
      [path, 200, headers.authorization],
      [path, 206, headers.authorization],
    ]);
    const kept = await everythingKept(page);
    expect(kept).toContain("/models/whole/model.json");
    expect(kept).not.toContain("s3cret");
  });

  test("aren't sent to a mirror of another origin, for model.json or for a shard", async () => {
    await using mirror = await serveCdn({ "/models/": models.folder });
    const page = await openPage(context, cdn.origin);
    const mirrors = [`${mirror.origin}/models/whole/model.json`];
    const options = { backend: "wasm", headers, mirrors, cache: false } as const;
    for (const path of ["/models/whole/model.json", models.whole.path]) {
      cdn.faults.set(path, [{ status: 404 }]);
      await runGolden(page, { open: "/models/whole/model.json", options }, models.golden);
    }
    const paths = mirror.requests.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(["/models/whole/model.json", models.whole.path]));
    expect(mirror.requests.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
  });

  test("let a page have the models of a server that asks for tokens; without them the error names them", async () => {
    const tokensFile = join(models.folder, "tokens.json");
    const sha256 = createHash("sha256").update("s3cret").digest("hex");
    await writeFile(tokensFile, JSON.stringify({ tokens: [{ name: "page", sha256 }] }));
    const server = createServer({
      models: [{ name: "digits", basePath: join(models.folder, "digits") }],
      ...{ host: "127.0.0.1", restPort: 0, grpcPort: 0, tokensFile, corsOrigins: [cdn.origin] },
      openModel: async () => echoSession({ x: { dtype: "float32", shape: [null] } }), // only its files are wanted
    });
    await server.listen();
    try {
      const page = await openPage(context, cdn.origin);
      const open = `${server.url}/models/digits/1/model.json`;
      const refused = await tryGolden(page, { open, options: { backend: "wasm" } }, models.golden);
      expect(refused).toMatchObject({
        error: { message: expect.stringContaining("401; open the model with the `headers`") },
      });
      await runGolden(page, { open, options: { backend: "wasm", headers } }, models.golden);
    } finally {
      await server.close();
    }
  });
});

/** Resolves when the page has so many bytes of the model that it opens: what of a response waits to be read, a cut takes. */
async function haveCome(page: Page, bytes: number): Promise<void> {
  await page.waitForFunction((bytes) => globalThis.harness.loadedBytes() === bytes, bytes);
}

/** The keys and values of all that the page's origin has stored, bytes aside, as text. */
function everythingKept(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const settled = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const kept: unknown[] = [{ ...localStorage }];
    for (const { name = "" } of await indexedDB.databases()) {
      const database = await settled(indexedDB.open(name));
      for (const each of database.objectStoreNames) {
        const store = database.transaction(each).objectStore(each);
        kept.push(name, await settled(store.getAllKeys()), await settled(store.getAll()));
      }
      database.close();
    }
    return JSON.stringify(kept);
  });
}
