import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { doublingShard, writeDoublingModel } from "../../testing/doubling-model.ts";
import { fakeSession } from "../../testing/fake-repository.ts";
import type { ServerEvent } from "../server-event.ts";
import type { OpenModel } from "./load-version.ts";
import { checkModelConfigs, type ModelConfig } from "./model-config.ts";
import { createRepository, type Repository } from "./repository.ts";

/** A file of the origin. */
interface OriginFile {
  readonly body: string | Uint8Array;
  /** Undefined where the origin tells no time. */
  readonly modified?: string;
}

const monday = "Mon, 02 Nov 2026 08:00:00 GMT";
const tuesday = "Tue, 03 Nov 2026 08:00:00 GMT";
const versionOf = (modified: string) => BigInt(Date.parse(modified) / 1000);

let folder: string;
let origin: string;
let server: Server;
let files: Map<string, OriginFile>;
let asked: string[];
/** Answers a path once in place of the file. */
let instead: Map<string, (response: ServerResponse) => void>;
let events: ServerEvent[];
let repositories: Repository[];
let manifest: string;
let shard: Uint8Array;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-remote-"));
  await writeDoublingModel(join(folder, "model"));
  manifest = await readFile(join(folder, "model", "model.json"), "utf8");
  shard = await readFile(join(folder, "model", doublingShard));
  [files, asked, instead, events, repositories] = [new Map(), [], new Map(), [], []];
  server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://origin").pathname;
    const file = files.get(path);
    const given = instead.get(path);
    instead.delete(path);
    if (given) return given(response);
    const { "cache-control": control = "" } = request.headers;
    const isSame =
      !control.includes("no-cache") &&
      file?.modified !== undefined &&
      request.headers["if-modified-since"] === file.modified;
    asked.push(`${isSame ? "304 " : ""}${request.url}`);
    if (!file) return response.writeHead(404).end("nothing here");
    if (isSame) return response.writeHead(304).end();
    return response
      .writeHead(200, file.modified === undefined ? {} : { "last-modified": file.modified })
      .end(file.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens
});
afterEach(async () => {
  await Promise.all(repositories.map((repository) => repository.close()));
  await stop();
  await rm(folder, { recursive: true });
});

async function stop(): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve)); // also where it is closed already
}

function publish(path: string, modified?: string, text = manifest): void {
  files.set(`${path}/model.json`, { body: text, ...(modified !== undefined && { modified }) });
  files.set(`${path}/${doublingShard}`, { body: shard });
}

/** Opens a session that computes nothing, once it has read all shards. */
const openModel: OpenModel = async (_model, { manifest, readShard }) => {
  for (const each of manifest.weightGroups.flatMap(({ shards }) => shards)) await readShard(each);
  return fakeSession(manifest.signature, () => ({}));
};

async function serve(config: Partial<ModelConfig> = {}, maxLoadRetries = 0): Promise<Repository> {
  const options = { openModel, cacheDir: join(folder, "cache"), maxLoadRetries, loadRetryMs: 1 };
  const onEvent = (event: ServerEvent) => void events.push(event);
  const repository = createRepository([{ name: "m", basePath: `${origin}/m`, ...config }], { ...options, onEvent });
  repositories.push(repository);
  await repository.load();
  return repository;
}

const statesOf = (repository: Repository) =>
  repository.versions("m").map(({ version, state }) => `${version} ${state}`);
const errorsOf = (type: ServerEvent["type"]) =>
  events.flatMap((event) => (event.type === type && "error" in event ? [String(event.error)] : []));
/** The manifest as the Python converter would write it. */
const withoutHashes = () => manifest.replace(/,"shards":\[.*?\]/, "");

describe("a model at an address", () => {
  test("is downloaded, and its version is when it was modified", async () => {
    publish("/m", monday);
    const repository = await serve();
    expect(statesOf(repository)).toEqual([`${versionOf(monday)} available`]);
    expect(asked).toEqual(["/m/model.json", `/m/${doublingShard}`]);
  });

  test("may be named by its model.json, and be behind a signature that all files need", async () => {
    publish("/m");
    expect(statesOf(await serve({ basePath: `${origin}/m/model.json?token=1` }))).toEqual(["1 available"]);
    expect(asked).toEqual(["/m/model.json?token=1", `/m/${doublingShard}?token=1`]);
  });

  test("is polled by asking whether it changed, and a new version takes the old one's place", async () => {
    publish("/m", monday);
    const repository = await serve();
    await repository.loadModel("m");
    expect(asked.at(-1)).toBe("304 /m/model.json");
    publish("/m", tuesday, `${manifest}\n`);
    await repository.loadModel("m");
    expect(statesOf(repository)).toEqual([`${versionOf(tuesday)} available`, `${versionOf(monday)} end`]);
  });

  test("is not asked for with every poll, which others would pay for", async () => {
    publish("/m", monday);
    const repository = await serve();
    asked.length = 0;
    await repository.poll();
    await repository.poll();
    expect(asked).toEqual([]);
  });

  test("stays as new as it was where an edge of the CDN is behind", async () => {
    publish("/m", tuesday);
    const repository = await serve();
    publish("/m", monday, `${manifest}\n`);
    await repository.loadModel("m");
    expect(statesOf(repository)).toEqual([`${versionOf(tuesday)} available`]);
  });

  test("has the versions that are listed, those that are there", async () => {
    for (const version of [3, 4]) publish(`/m/${version}`, monday);
    const repository = await serve({ versions: { specific: [3n, 4n, 5n] } });
    expect(statesOf(repository)).toEqual(["4 available", "3 available"]);
  });

  test("is served while the origin is away, also after a restart, which is told once", async () => {
    publish("/m", monday);
    const before = await serve();
    await stop();
    await before.loadModel("m");
    await before.loadModel("m");
    expect(statesOf(before)).toEqual([`${versionOf(monday)} available`]);
    expect(errorsOf("unreachable")).toEqual([expect.stringMatching(/m\/model\.json cannot be reached: /)]);
    expect(statesOf(await serve())).toEqual([`${versionOf(monday)} available`]);
    expect(errorsOf("unreachable")).toHaveLength(2);
  });

  test("is the copy that was wanted last, of several, where the origin is away after a restart", async () => {
    for (const modified of [monday, tuesday, monday]) {
      publish("/m", modified);
      await serve(); // no server looks while someone goes back
    }
    await stop();
    expect(statesOf(await serve())).toEqual([`${versionOf(monday)} available`]);
  });

  test("is no new version where only its time is another, unless other weights may be behind it", async () => {
    publish("/m", monday);
    const repository = await serve();
    publish("/m", tuesday);
    await repository.loadModel("m");
    expect(statesOf(repository)).toEqual([`${versionOf(monday)} available`]);
    publish("/plain", monday, withoutHashes());
    const plain = await serve({ basePath: `${origin}/plain` });
    publish("/plain", tuesday, withoutHashes());
    await plain.loadModel("m");
    expect(statesOf(plain)[0]).toEqual(`${versionOf(tuesday)} available`);
  });

  test("that isn't there, or can't be had, is told, and what to check", async () => {
    await serve();
    expect(errorsOf("no-version")).toEqual([
      expect.stringContaining(`${origin}/m/model.json: HTTP 404; check the address`),
    ]);
    await stop();
    await serve({ basePath: `${origin}/other` });
    expect(errorsOf("no-version")[1]).toMatch(/other\/model\.json cannot be reached/);
  });

  test("of which a shard or model.json is wrong is not served, and is once it is right", async () => {
    publish("/m", monday);
    instead.set(`/m/${doublingShard}`, (response) => response.writeHead(200).end("four"));
    const repository = await serve();
    expect(repository.versions("m")).toMatchObject([{ state: "end", error: { code: "data-loss" } }]);
    await repository.loadModel("m");
    expect(statesOf(repository)).toEqual([`${versionOf(monday)} available`]);
    publish("/m", tuesday, manifest.slice(0, 100));
    await repository.loadModel("m");
    expect(statesOf(repository)).toEqual([`${versionOf(monday)} available`]);
    expect(errorsOf("no-version")).toEqual([expect.stringContaining("model.json: expected JSON")]);
  });

  test("of which a part came before is completed", async () => {
    publish("/m", monday);
    await serve();
    const parent = join(folder, "cache", "addresses");
    const [address = ""] = await readdir(parent);
    const [version = ""] = await readdir(join(parent, address));
    await rm(join(parent, address, version, "model.json"));
    asked.length = 0;
    expect(statesOf(await serve())).toEqual([`${versionOf(monday)} available`]);
    expect(asked).toEqual(["/m/model.json"]);
  });

  test("without hashes that changes while it is downloaded is never a mixture", async () => {
    publish("/m", monday, withoutHashes());
    instead.set(`/m/${doublingShard}`, (response) => {
      publish("/m", tuesday, withoutHashes()); // the same text, as of a model that was trained again
      response.writeHead(200).end(shard);
    });
    const repository = await serve();
    expect(repository.versions("m")[0]?.error?.message).toContain("changed while the model was downloaded");
    await repository.loadModel("m");
    expect(statesOf(repository)[0]).toBe(`${versionOf(tuesday)} available`);
  });
});

test.each<[string, Partial<ModelConfig>, string]>([
  ["all versions", { versions: "all" }, "as no address can be listed, got all"],
  ["the two latest", { versions: { latest: 2 } }, "got latest 2"],
  ["a password", { basePath: "https://me:secret@cdn.example/m" }, "without a user and a password"],
  ["no host", { basePath: "https://" }, "expected the address of a folder"],
])("checkModelConfigs refuses an address with %s", (_what, config, message) => {
  expect(() => checkModelConfigs([{ name: "m", basePath: "https://cdn.example/m", ...config }])).toThrow(message);
});

test("checkModelConfigs takes addresses beside folders", () => {
  const models = ["https://cdn.example/m", "/models/m"].map((basePath, index) => ({ name: `m${index}`, basePath }));
  expect(() => checkModelConfigs(models)).not.toThrow();
});
