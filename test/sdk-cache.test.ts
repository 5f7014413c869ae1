import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { harnessFolder } from "./build-harness.ts";
import { type Cdn, serveCdn } from "./cdn.ts";
import { launchChromium, launchChromiumProfile } from "./chromium.ts";
import { convertDigits, type DigitsModels, flipByte, openPage, runGolden, type ServedShard } from "./digits-pages.ts";
import { fixturesRoot, readGolden } from "./fixtures.ts";
import type { RunReport } from "./harness/harness.ts";
import { toPlainTensors } from "./plain-tensors.ts";

let models: DigitsModels;
let browser: Browser;
beforeAll(async () => {
  [models, browser] = await Promise.all([convertDigits(), launchChromium({ webgpu: false })]);
});
afterAll(async () => {
  await browser?.close();
  await models?.[Symbol.asyncDispose]();
});

/** Serves the pages. */
let site: Cdn;
/** Serves the models, from another origin. */
let cdn: Cdn;
let context: BrowserContext;
let page: Page;
beforeEach(async () => {
  site = await serveCdn({ "/models/": models.folder, "/": harnessFolder });
  cdn = await serveCdn({ "/models/": models.folder });
  context = await browser.newContext();
  page = await openPage(context, site.origin);
  return async () => {
    await context.close();
    await cdn[Symbol.asyncDispose]();
    await site[Symbol.asyncDispose]();
  };
});

/** Opens and runs the model of this name; `from` the CDN, or the page's own server. */
async function run(name: string, { from = cdn, on = page } = {}): Promise<RunReport> {
  const target = { open: `${from.origin}/models/${name}/model.json`, options: { backend: "wasm" } } as const;
  return runGolden(on, target, models.golden);
}

const travelled = ({ requests }: Cdn) =>
  requests.filter(({ sentBytes }) => sentBytes > 0).map(({ path }) => path.slice("/models/".length));
const names = (shards: readonly ServedShard[]) => shards.map(({ path }) => path.slice("/models/".length));
const cachedModels = () => page.evaluate(() => globalThis.harness.cachedModels());
const last = ({ progress }: RunReport) => progress.at(-1) as RunReport["progress"][number];
const totalBytes = () => models.shards.reduce((sum, { bytes }) => sum + bytes, 0);

/** The manifest as the Python converter writes it: with paths alone. */
async function serveWithoutHashes(at: Cdn): Promise<void> {
  const json = JSON.parse(await readFile(join(models.folder, "digits", "model.json"), "utf8"));
  for (const group of json.weightsManifest) delete group.shards;
  at.files.set("/models/plain/model.json", Buffer.from(JSON.stringify(json)));
  for (const { path } of models.shards) {
    at.files.set(
      path.replace("/digits/", "/plain/"),
      await readFile(join(models.folder, path.slice("/models/".length))),
    );
  }
}

describe("the cache", () => {
  test("opens a model when its server is away, after a reload of the page, too", async () => {
    await run("digits");
    expect(await cachedModels()).toEqual([{ path: "/models/digits/model.json", bytes: totalBytes() }]);
    cdn.isDown = true;
    await page.reload();
    await page.waitForFunction(() => "harness" in globalThis);
    const { cachedBytes, cacheFailure } = last(await run("digits"));
    expect({ cachedBytes, cacheFailure }).toEqual({ cachedBytes: totalBytes(), cacheFailure: null });
  });

  test("asks a server that fails only once, and mirrors that have nothing, before it opens what it has", async () => {
    await run("digits");
    const model = "/models/digits/model.json";
    const failure = { status: 503 };
    const faults = [failure, failure];
    cdn.faults.set(model, faults);
    cdn.requests.length = 0;
    expect(last(await run("digits")).cachedBytes).toBe(totalBytes());
    expect(cdn.requests.map(({ path, status }) => ({ path, status }))).toEqual([{ path: model, ...failure }]);
    expect(faults).toEqual([failure]);
    const mirrors = [`${cdn.origin}/models/nothing/model.json`];
    const target = { open: `${cdn.origin}${model}`, options: { backend: "wasm", mirrors } } as const;
    cdn.requests.length = 0;
    expect(last(await runGolden(page, target, models.golden)).cachedBytes).toBe(totalBytes());
    expect(cdn.requests.map(({ status }) => status)).toEqual([503, 404]);
  });

  test("opens a session again as it was, where the network had nothing of it", async () => {
    await run("digits");
    const model = "/models/digits/model.json";
    cdn.isDown = true;
    const target = { open: `${cdn.origin}${model}`, options: { backend: "wasm" } } as const;
    expect(await page.evaluate((target) => globalThis.harness.keep(target), target)).toEqual({ value: null });
    cdn.isDown = false;
    cdn.files.set(model, Buffer.from("another version, which is none"));
    cdn.requests.length = 0;
    const inputs = toPlainTensors(models.golden.inputs);
    const runKept = (endWorker: boolean) =>
      page.evaluate(([inputs, options]) => globalThis.harness.runKept(inputs, options), [
        inputs,
        { endWorker },
      ] as const);
    for (const endWorker of [true, false]) expect(await runKept(endWorker)).toHaveProperty("value");
    expect((await page.evaluate(() => globalThis.harness.tellOfKept())).events).toEqual([
      ...["opened wasm", "lost wasm", "opened wasm"],
    ]);
    expect(cdn.requests).toEqual([]);
  });

  test("takes only the shards that a new version changed", async () => {
    await run("digits");
    const json = JSON.parse(await readFile(join(models.folder, "digits", "model.json"), "utf8"));
    const [group] = json.weightsManifest;
    const changed = flipByte(0)(await readFile(join(models.folder, "digits", group.paths[1]))); // a mantissa's last bit
    group.paths[1] = "new.bin";
    group.shards[1].sha256 = createHash("sha256").update(changed).digest("hex");
    cdn.files.set("/models/digits/model.json", Buffer.from(JSON.stringify(json)));
    cdn.files.set("/models/digits/new.bin", changed);
    cdn.requests.length = 0;
    const { cachedBytes } = last(await run("digits"));
    expect(travelled(cdn)).toEqual(["digits/model.json", "digits/new.bin"]);
    expect(cachedBytes).toBe(totalBytes() - changed.length);
  });

  test("has the shards that a model shares with another", async () => {
    await run("digits");
    for (const { path } of models.shards) {
      cdn.files.set(path.replace("/digits/", "/copy/"), Buffer.from("nobody asks for it"));
    }
    cdn.files.set("/models/copy/model.json", await readFile(join(models.folder, "digits", "model.json")));
    cdn.requests.length = 0;
    await run("copy");
    expect(travelled(cdn)).toEqual(["copy/model.json"]);
    await page.evaluate((url) => globalThis.harness.removeCached(url), `${cdn.origin}/models/copy/model.json`);
    expect(await cachedModels()).toHaveLength(1);
    cdn.isDown = true;
    await run("digits");
  });

  test("forgets what is removed, and all when it is cleared", async () => {
    await run("digits");
    await run("whole");
    expect((await cachedModels()).map(({ path }) => path)).toEqual([
      "/models/whole/model.json",
      "/models/digits/model.json",
    ]);
    await page.evaluate((url) => globalThis.harness.removeCached(url), `${cdn.origin}/models/digits/model.json`);
    expect(await page.evaluate(() => globalThis.harness.cachedKeys())).toHaveLength(1);
    await page.evaluate(() => globalThis.harness.clearCache());
    expect(await page.evaluate(() => globalThis.harness.cachedKeys())).toEqual([]);
    expect(await cachedModels()).toEqual([]);
  });

  test("lets go of its databases when a page deletes them, and begins again", async () => {
    const target = { open: `${cdn.origin}/models/digits/model.json`, options: { backend: "wasm" } } as const;
    await page.evaluate((target) => globalThis.harness.keep(target), target);
    const other = await openPage(context, site.origin);
    const outcomes = await other.evaluate(async () => {
      const databases = await indexedDB.databases();
      const deleting = databases.map(
        ({ name = "" }) =>
          new Promise<string>((resolve) => {
            const request = indexedDB.deleteDatabase(name);
            request.onsuccess = () => resolve("deleted");
            request.onblocked = () => resolve(`${name} is blocked`);
          }),
      );
      return Promise.all(deleting);
    });
    expect(new Set(outcomes)).toEqual(new Set(["deleted"]));
    await run("digits");
    expect(await cachedModels()).toHaveLength(1);
  });

  test("serves no byte that changed on the disk", async () => {
    await run("digits");
    await page.evaluate(() => globalThis.harness.damageCache());
    expect(last(await run("digits")).cachedBytes).toBe(0);
    expect(last(await run("digits")).cachedBytes).toBe(totalBytes());
  });

  test("two tabs that open a model at once download each shard once", async () => {
    const other = await openPage(context, site.origin);
    await Promise.all([run("digits"), run("digits", { on: other })]);
    const shards = names(models.shards);
    expect(
      travelled(cdn)
        .filter((name) => shards.includes(name))
        .sort(),
    ).toEqual(shards.toSorted());
  });

  test("a tab that crashes while it downloads leaves what is right: the next one goes on from there", async () => {
    for (const shard of models.shards) {
      const crashing = await openPage(context, site.origin);
      let ask = () => {};
      const asked = new Promise<void>((resolve) => {
        ask = resolve;
      });
      // The shards before this one are being written when it is asked for.
      cdn.faults.set(shard.path, [{ after: new Promise<void>(() => {}), onAsked: ask }]);
      const crashed = crashing.waitForEvent("crash");
      run("digits", { on: crashing }).catch(() => {}); // its page is gone
      await asked;
      await crashing.goto("chrome://crash").catch(() => {});
      await crashed;
      cdn.faults.clear();
      cdn.requests.length = 0;
      await run("digits");
      expect(travelled(cdn)).toContain(shard.path.slice("/models/".length));
      await page.evaluate(() => globalThis.harness.clearCache());
    }
  });

  describe("with little room", () => {
    /** Chromium remembers for half a minute how much room there was, so this comes first. */
    const setQuota = async (quotaSize: number) => {
      const session = await context.newCDPSession(page);
      await session.send("Storage.overrideQuotaForOrigin", { origin: site.origin, quotaSize });
    };

    /** Serves and opens `sum = x + bias`, with so many other bytes of weights, beside which all else that is kept is small. */
    async function runLarge(name: string, bytes: number): Promise<RunReport["progress"][number]> {
      if (!cdn.files.has(`/models/${name}/model.json`)) serveLarge(name, bytes);
      const target = { open: `${cdn.origin}/models/${name}/model.json`, options: { backend: "wasm" } } as const;
      return last(await runGolden(page, target, largeGolden));
    }

    function serveLarge(name: string, bytes: number): void {
      const weights = randomBytes(8 + bytes); // which can't be compressed
      Buffer.from(Float32Array.of(10, 20).buffer).copy(weights);
      const pair = { dim: [{ size: "2" }] };
      const port = (tensor: string) => ({ name: `${tensor}:0`, dtype: "DT_FLOAT", tensorShape: pair });
      const shard = { bytes: weights.length, sha256: createHash("sha256").update(weights).digest("hex") };
      const json = {
        format: "graph-model",
        signature: { inputs: { x: port("x") }, outputs: { sum: port("sum") } },
        modelTopology: {
          node: [
            { name: "x", op: "Placeholder", attr: { dtype: { type: "DT_FLOAT" }, shape: { shape: pair } } },
            { name: "bias", op: "Const", attr: { dtype: { type: "DT_FLOAT" } } },
            { name: "sum", op: "AddV2", input: ["x", "bias"], attr: { T: { type: "DT_FLOAT" } } },
          ],
        },
        weightsManifest: [
          {
            paths: ["weights.bin"],
            shards: [shard],
            weights: [
              { name: "bias", dtype: "float32", shape: [2] },
              { name: "other", dtype: "float32", shape: [bytes / 4] },
            ],
          },
        ],
      };
      cdn.files.set(`/models/${name}/model.json`, Buffer.from(JSON.stringify(json)));
      cdn.files.set(`/models/${name}/weights.bin`, weights);
    }

    const tensorOf = (...data: number[]) => ({ dtype: "float32", shape: [2], data: Float32Array.from(data) }) as const;
    const largeGolden = { inputs: { x: tensorOf(1, 2) }, outputs: { sum: tensorOf(11, 22) } };
    const paths = async () => (await cachedModels()).map(({ path }) => path);

    test("deletes the model used longest ago, and keeps the new one once the browser has the room", async () => {
      await setQuota(20_000_000);
      expect((await runLarge("first", 8_000_000)).cacheFailure).toBeNull();
      expect((await runLarge("second", 8_000_000)).cacheFailure).toBeNull();
      await runLarge("third", 8_000_000);
      expect(await paths()).not.toContain("/models/first/model.json");
      const keeps = async () => (await runLarge("third", 8_000_000)).cacheFailure;
      await expect.poll(keeps, { timeout: 50_000, interval: 1000 }).toBeNull();
      expect((await paths()).sort()).toEqual(["/models/second/model.json", "/models/third/model.json"]);
    });

    test("says so where a model is too large, and runs without", async () => {
      await setQuota(4_000_000);
      expect((await runLarge("large", 8_000_000)).cacheFailure).toMatch(/no more room/);
      expect(await cachedModels()).toEqual([]);
    });
  });
});

describe("the cache of a model without hashes", () => {
  test("has what its server says is unchanged, and opens it when the server is away", async () => {
    await serveWithoutHashes(site);
    expect(last(await run("plain", { from: site })).cachedBytes).toBe(0);
    expect(last(await run("plain", { from: site })).cachedBytes).toBe(totalBytes());
    const model = "/models/plain/model.json";
    const paths = [model, ...models.shards.map(({ path }) => path.replace("/digits/", "/plain/"))];
    for (const path of paths) site.faults.set(path, [{ status: 500 }, { status: 500 }]);
    expect(last(await run("plain", { from: site })).cachedBytes).toBe(totalBytes());
    expect(site.faults.get(paths[1] as string)).toHaveLength(2); // it wasn't even asked
  });

  test("takes the one that changed", async () => {
    await serveWithoutHashes(site);
    await run("plain", { from: site });
    const path = (models.shards[1] as ServedShard).path.replace("/digits/", "/plain/");
    const changed = flipByte(0)(site.files.get(path) as Buffer);
    site.files.set(path, changed);
    site.requests.length = 0;
    expect(last(await run("plain", { from: site })).cachedBytes).toBe(totalBytes() - changed.length);
    expect(travelled(site).filter((name) => name.startsWith("plain/"))).toEqual([path.slice("/models/".length)]);
  });

  test("puts no parts of two versions together", async () => {
    await serveWithoutHashes(site);
    const path = (models.shards[1] as ServedShard).path.replace("/digits/", "/plain/");
    const bytes = site.files.get(path) as Buffer;
    site.faults.set(path, [{ cutAfter: 1000 }]);
    const changed = bytes.map((byte, index) => (index % 4 === 0 ? byte ^ 1 : byte)) as Buffer; // mantissas' last bits
    const opening = run("plain", { from: site });
    await expect.poll(() => site.faults.get(path)?.length).toBe(0);
    site.files.set(path, changed);
    await opening;
    const [, again] = site.requests.filter((request) => request.path === path);
    expect(again).toMatchObject({ status: 200, sentBytes: changed.length });
  });

  test.skipIf(!fixturesRoot)("is the same for what the Python converter wrote", async () => {
    await using reference = await serveCdn({ "/reference/": join(fixturesRoot as string, "made") });
    const target = {
      open: `${reference.origin}/reference/mobilenet_v2/reference/serving_default/model.json`,
      options: { backend: "wasm" },
    } as const;
    const [golden] = await readGolden(join(fixturesRoot as string, "made", "mobilenet_v2"), "serving_default");
    if (!golden) throw new Error("mobilenet_v2 has no golden case");
    expect(last(await runGolden(page, target, golden)).cachedBytes).toBe(0);
    reference.isDown = true;
    const { cachedBytes, loadedBytes } = last(await runGolden(page, target, golden));
    expect(cachedBytes).toBe(loadedBytes);
  });
});

test("where the browser gives a site no storage, the model opens all the same, and says why it isn't kept", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nearside-"));
  try {
    await mkdir(join(folder, "Default"));
    const blockAll = { profile: { default_content_setting_values: { cookies: 2 } } };
    await writeFile(join(folder, "Default", "Preferences"), JSON.stringify(blockAll));
    const forbidden = await launchChromiumProfile(folder);
    try {
      const { cacheFailure } = last(await run("digits", { on: await openPage(forbidden, site.origin) }));
      expect(cacheFailure).toMatch(/keeps nothing for this site/);
    } finally {
      await forbidden.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
