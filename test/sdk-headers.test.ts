import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createServer } from "@nearside/server";
import type { Browser, BrowserContext, Page } from "playwright";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { harnessFolder } from "./build-harness.ts";
import { type Cdn, serveCdn } from "./cdn.ts";
import { launchChromium } from "./chromium.ts";
import { convertDigits, type DigitsModels, openPage, runGolden, tryGolden } from "./digits-pages.ts";
import { echoSession } from "./server-of-fakes.ts";

const headers = { authorization: "Bearer s3cret" };

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

describe("the headers of a model", () => {
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
