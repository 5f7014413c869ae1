import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Shard } from "@nearside/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { doublingShard, writeDoublingModel } from "../testing/doubling-model.ts";
import { fakeSession } from "../testing/fake-repository.ts";
import { readModelFolder } from "./model-folder.ts";
import { createRepository, type OpenModel } from "./repository.ts";
import { formatEvent, type ServerEvent } from "./server-event.ts";

let folder: string;
let events: ServerEvent[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-repository-"));
  events = [];
});
afterEach(() => rm(folder, { recursive: true }));

/** Opens a session that computes nothing, once it has read all shards. */
const openModel: OpenModel = async (_model, { manifest, readShard }) => {
  for (const shard of manifest.weightGroups.flatMap(({ shards }) => shards)) await readShard(shard);
  return fakeSession(manifest.signature, () => ({}));
};

function repositoryOf(...names: string[]) {
  const models = names.map((name) => ({ name, basePath: join(folder, name) }));
  return createRepository(models, {
    openModel,
    cacheDir: join(folder, "cache"),
    onEvent: (event) => events.push(event),
  });
}

describe("a repository", () => {
  test("serves the latest version, by number, whatever else lies beside it", async () => {
    for (const version of ["9", "0010", "2"]) await writeDoublingModel(join(folder, "double", version));
    await mkdir(join(folder, "double", "latest"));
    await writeFile(join(folder, "double", "11"), "not a folder");
    const repository = repositoryOf("double");
    await repository.load();
    expect(repository.versions("double")).toMatchObject([{ state: "available", version: 10n }]);
    expect(repository.find("double", 10n).version).toBe(10n);
    expect(repository.isReady).toBe(true);
    expect(() => repository.find("double", 9n)).toThrow("Servable not found for request: Specific(double, 9)");
  });

  test("serves a folder that is itself a model as version 1", async () => {
    await writeDoublingModel(join(folder, "double"));
    const repository = repositoryOf("double");
    await repository.load();
    expect(repository.find("double").version).toBe(1n);
  });

  test("keeps the error of a broken model and serves the others", async () => {
    await writeDoublingModel(join(folder, "broken", "1"));
    await writeFile(join(folder, "broken", "1", doublingShard), "four");
    await writeDoublingModel(join(folder, "double", "1"));
    const repository = repositoryOf("broken", "double");
    await repository.load();
    expect(repository.find("double").state).toBe("available");
    expect(repository.versions("broken")).toMatchObject([{ state: "failed", error: { code: "data-loss" } }]);
    expect(repository.isReady).toBe(false);
    expect(() => repository.find("broken")).toThrow(/Latest\(broken\): version 1 failed to load: .*expected SHA-256/);
    expect(events.map(({ type }) => type)).toEqual(["loading", "failed", "loading", "available"]);
  });

  test.each([
    ["a shard of another size", async (path: string) => writeFile(join(path, doublingShard), "five!"), "data-loss"],
    ["no shard", async (path: string) => rm(join(path, doublingShard)), "data-loss"],
    ["a manifest that is no JSON", async (path: string) => writeFile(join(path, "model.json"), "{"), "data-loss"],
    ["no manifest", async (path: string) => rm(join(path, "model.json")), "not-found"],
  ])("fails a version with %s", async (_what, spoil, code) => {
    const path = join(folder, "double", "1");
    await writeDoublingModel(path);
    await spoil(path);
    const repository = repositoryOf("double");
    await repository.load();
    expect(repository.versions("double")).toMatchObject([{ state: "failed", error: { code } }]);
  });

  test("tells of a base path that is empty or not there", async () => {
    await mkdir(join(folder, "empty"));
    const repository = repositoryOf("empty", "missing");
    await repository.load();
    expect(repository.versions("empty")).toEqual([]);
    expect(events.map(formatEvent)).toEqual([
      expect.stringContaining("expected a folder per version (such as empty/1), saved_model.pb or model.json"),
      expect.stringContaining("found none; check the base path"),
    ]);
  });

  test("refuses two models of one name", () => {
    expect(() => repositoryOf("double", "double")).toThrow('got "double" twice');
  });

  test("closes its sessions", async () => {
    await writeDoublingModel(join(folder, "double"));
    const repository = repositoryOf("double");
    await repository.load();
    const closed: string[] = [];
    const { session } = repository.find("double");
    Object.assign(session, { close: async () => closed.push("double") });
    await repository.close();
    expect(closed).toEqual(["double"]);
  });
});

test("a model folder hands out a shard only if its bytes are what the manifest says", async () => {
  await writeDoublingModel(folder);
  const { manifest, readShard } = await readModelFolder(folder);
  const [shard] = manifest.weightGroups.flatMap(({ shards }) => shards) as [Shard];
  expect(new Float32Array(await readShard(shard))).toEqual(Float32Array.of(2));
  await expect(readShard({ ...shard, sha256: "0".repeat(64) })).rejects.toMatchObject({ code: "data-loss" });
});
