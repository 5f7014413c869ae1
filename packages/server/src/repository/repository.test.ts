import { mkdir, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Shard } from "@nearside/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { doublingShard, writeDoublingModel } from "../../testing/doubling-model.ts";
import { fakeSession } from "../../testing/fake-repository.ts";
import { readModelFolder } from "../model-folder.ts";
import { formatEvent, type ServerEvent } from "../server-event.ts";
import type { OpenModel } from "./load-version.ts";
import type { ModelConfig } from "./model-config.ts";
import { createRepository, type Repository } from "./repository.ts";
import type { RepositoryOptions } from "./repository-options.ts";
import { findVersions } from "./version-folders.ts";

let folder: string;
let events: ServerEvent[];
let closed: string[];
let repositories: Repository[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-repository-"));
  [events, closed, repositories] = [[], [], []];
});
afterEach(async () => {
  await Promise.all(repositories.map((repository) => repository.close()));
  await rm(folder, { recursive: true });
});

/** Opens a session that computes nothing, once it has read all shards. */
const openModel: OpenModel = async (_model, { manifest, readShard, path }) => {
  for (const shard of manifest.weightGroups.flatMap(({ shards }) => shards)) await readShard(shard);
  return { ...fakeSession(manifest.signature, () => ({})), close: async () => void closed.push(path) };
};

const model = (name: string, config: Partial<ModelConfig> = {}): ModelConfig => ({
  name,
  basePath: join(folder, name),
  ...config,
});

function repositoryOf(models: readonly ModelConfig[], options: Partial<RepositoryOptions> = {}): Repository {
  const onEvent = (event: ServerEvent) => events.push(event);
  const cacheDir = join(folder, "cache");
  const repository = createRepository(models, { openModel, cacheDir, onEvent, maxLoadRetries: 0, ...options });
  repositories.push(repository);
  return repository;
}

async function loaded(models: readonly ModelConfig[], options: Partial<RepositoryOptions> = {}): Promise<Repository> {
  const repository = repositoryOf(models, options);
  await repository.load();
  return repository;
}

/** As Promise.withResolvers, which Node 20 lacks. */
function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const write = (...path: string[]) => writeDoublingModel(join(folder, ...path));
const spoil = (...path: string[]) => writeFile(join(folder, ...path, doublingShard), "four");
const statesOf = (repository: Repository, name = "m") =>
  repository.versions(name).map(({ version, state }) => `${version} ${state}`);
/** Of one model: which of several comes first is up to the file system. */
const eventsOf = (model: string) =>
  events.filter((event) => "model" in event && event.model === model).map(({ type }) => type);

describe("a repository", () => {
  test("serves the latest version, by number, whatever else lies beside it", async () => {
    for (const version of ["9", "0010", "2"]) await write("m", version);
    await mkdir(join(folder, "m", "latest"));
    await mkdir(join(folder, "m", "12"));
    await writeFile(join(folder, "m", "11"), "not a folder");
    const repository = await loaded([model("m")]);
    expect(statesOf(repository)).toEqual(["10 available"]);
    expect(repository.find({ name: "m", version: 10n }).version).toBe(10n);
    expect(repository.isReady).toBe(true);
    const message = "Servable not found for request: Specific(m, 9)";
    expect(() => repository.find({ name: "m", version: 9n })).toThrow(message);
  });

  test("serves a folder that is itself a model as version 1", async () => {
    await write("m");
    expect((await loaded([model("m")])).find({ name: "m" }).version).toBe(1n);
  });

  test.each<[string, ModelConfig["versions"], string[]]>([
    ["the two latest", { latest: 2 }, ["3 available", "2 available"]],
    ["all", "all", ["3 available", "2 available", "1 available"]],
    ["those that are listed", { specific: [1n, 7n] }, ["1 available"]],
    ["none, where none is listed", { specific: [] }, []],
  ])("serves %s", async (_what, versions, expected) => {
    for (const version of ["1", "2", "3"]) await write("m", version);
    expect(statesOf(await loaded([model("m", { versions: versions as "all" })]))).toEqual(expected);
  });

  test("keeps the error of a broken model and serves the others", async () => {
    await write("broken", "1");
    await spoil("broken", "1");
    await write("m", "1");
    const repository = await loaded([model("broken"), model("m")]);
    expect(repository.find({ name: "m" }).version).toBe(1n);
    expect(repository.versions("broken")).toMatchObject([{ state: "end", error: { code: "data-loss" } }]);
    expect(repository.isReady).toBe(false);
    expect(() => repository.find({ name: "broken" })).toThrow("Servable not found for request: Latest(broken)");
    expect(eventsOf("broken")).toEqual(["loading", "failed"]);
    expect(eventsOf("m")).toEqual(["loading", "available"]);
  });

  test.each([
    ["a shard of another size", async (path: string) => writeFile(join(path, doublingShard), "five!")],
    ["no shard", async (path: string) => rm(join(path, doublingShard))],
    ["a manifest that is no JSON", async (path: string) => writeFile(join(path, "model.json"), "{")],
  ])("fails a version with %s", async (_what, damage) => {
    await write("m", "1");
    await damage(join(folder, "m", "1"));
    expect((await loaded([model("m")])).versions("m")).toMatchObject([{ state: "end", error: { code: "data-loss" } }]);
  });

  test("tells once of a base path that is empty or not there", async () => {
    await mkdir(join(folder, "empty"));
    const repository = await loaded([model("empty"), model("missing")]);
    await repository.poll();
    expect(repository.versions("empty")).toEqual([]);
    expect(events.map(formatEvent).sort()).toEqual([
      expect.stringContaining("expected a folder per version (such as empty/1), saved_model.pb or model.json"),
      expect.stringContaining("found none; check the base path"),
    ]);
  });

  test.each([
    [["m", "m"], "Illegal to list model m multiple times in config list"],
    [["m", ""], "expected a name for each model"],
  ])("refuses the models %j", (names, message) => {
    expect(() => repositoryOf(names.map((name) => model(name)))).toThrow(message);
  });

  test("refuses base paths of which some are relative", () => {
    expect(() => repositoryOf([model("m"), { name: "n", basePath: "n" }])).toThrow(
      "all of them absolute or all relative",
    );
  });

  test("closes its sessions", async () => {
    await write("m", "1");
    const repository = await loaded([model("m")]);
    await repository.close();
    expect(closed).toEqual([join(folder, "m", "1")]);
    expect(statesOf(repository)).toEqual(["1 end"]);
  });
});

describe("a repository that looks at its base paths again", () => {
  test("loads a new version before it unloads the old one", async () => {
    await write("m", "1");
    const repository = await loaded([model("m")]);
    await write("m", "2");
    await repository.poll();
    expect(repository.find({ name: "m" }).version).toBe(2n);
    await repository.close();
    const kinds = events.map(({ type, ...rest }) => `${type} ${"version" in rest ? rest.version : ""}`);
    expect(kinds.slice(0, 5)).toEqual(["loading 1", "available 1", "loading 2", "available 2", "unloaded 1"]);
  });

  test("keeps the old version where the new one is broken", async () => {
    await write("m", "1");
    const repository = await loaded([model("m")]);
    await write("m", "2");
    await spoil("m", "2");
    await repository.poll();
    expect(statesOf(repository)).toEqual(["2 end", "1 available"]);
    expect(repository.isReady).toBe(true);
    await rename(join(folder, "m", "2"), join(folder, "m", "two"));
    await repository.poll();
    await write("m", "2");
    await repository.poll();
    expect(repository.find({ name: "m" }).version).toBe(2n); // it was away meanwhile, and is another
  });

  test("tries a version again that failed, until it can be loaded", async () => {
    await write("m", "1");
    await spoil("m", "1");
    let failed = 0;
    const available = withResolvers<void>();
    const repository = repositoryOf([model("m")], {
      maxLoadRetries: 1000,
      loadRetryMs: 1,
      onEvent: ({ type }) => {
        if (type === "failed") failed++;
        if (type === "failed" && failed === 3) void write("m", "1");
        if (type === "available") available.resolve();
      },
    });
    await repository.load();
    expect(repository.versions("m")).toMatchObject([{ state: "loading", error: { code: "data-loss" } }]);
    await available.promise;
    expect(failed).toBeGreaterThanOrEqual(3);
    expect(repository.versions("m")).toMatchObject([{ state: "available", error: null }]);
  });

  test("gives up after the last retry", async () => {
    await write("m", "1");
    await spoil("m", "1");
    let failed = 0;
    const last = withResolvers<void>();
    const repository = repositoryOf([model("m")], {
      maxLoadRetries: 2,
      loadRetryMs: 1,
      onEvent: ({ type }) => {
        if (type === "failed" && ++failed === 3) last.resolve();
      },
    });
    await repository.load();
    await last.promise;
    expect(statesOf(repository)).toEqual(["1 end"]);
  });

  test("unloads all versions when none is left, and none when the base path can't be read", async () => {
    await write("m", "1");
    const repository = await loaded([model("m")]);
    await rename(join(folder, "m"), join(folder, "elsewhere"));
    await repository.poll();
    expect(statesOf(repository)).toEqual(["1 available"]);
    await mkdir(join(folder, "m"));
    await repository.poll();
    await repository.poll();
    expect(() => repository.find({ name: "m" })).toThrow("Servable not found");
  });

  test("keeps what it serves where one look shows no version, as while one is replaced", async () => {
    await write("m", "1");
    const repository = await loaded([model("m")]);
    for (let round = 0; round < 3; round++) {
      await rename(join(folder, "m", "1"), join(folder, "m", "old"));
      await repository.poll();
      expect(statesOf(repository)).toEqual(["1 available"]);
      await rename(join(folder, "m", "old"), join(folder, "m", "1"));
      await repository.poll();
    }
    expect(closed).toEqual([]);
  });

  test("remembers the last hundred of the versions that ended", async () => {
    await write("m", "1");
    const repository = await loaded([model("m")]);
    for (let version = 1; version < 110; version++) {
      await rename(join(folder, "m", String(version)), join(folder, "m", String(version + 1)));
      await repository.poll();
    }
    expect(repository.find({ name: "m" }).version).toBe(110n);
    expect(repository.versions("m").length).toBeLessThanOrEqual(103); // of which some are being unloaded
    expect(repository.versions("m").at(-1)?.version).toBeGreaterThan(5n);
  });

  test("finds a version that is renamed while it looks", async () => {
    await write("m", "1");
    let last = 1;
    const list = async (path: string) => {
      const names = await readdir(path);
      if (path !== join(folder, "m") || last > 3) return names;
      await rename(join(path, String(last)), join(path, String(last + 1)));
      last++;
      return names;
    };
    expect(await findVersions(model("m"), list)).toEqual(new Map([[4n, join(folder, "m", "4")]]));
  });

  test("looks no further for a version that is a link to nothing", async () => {
    await write("m", "1");
    await symlink(join(folder, "nothing"), join(folder, "m", "2"));
    expect(statesOf(await loaded([model("m")]))).toEqual(["1 available"]);
  });

  test("by itself, every pollMs", async () => {
    await write("m", "1");
    const second = withResolvers<void>();
    const onEvent = (event: ServerEvent) => event.type === "available" && event.version === 2n && second.resolve();
    await loaded([model("m")], { pollMs: 1, onEvent });
    await write("m", "2");
    await second.promise;
  });
});

describe("a version in use", () => {
  test("is unloaded when the last request is over", async () => {
    await write("m", "1");
    const unloaded = withResolvers<void>();
    const onEvent = ({ type }: ServerEvent) => type === "unloaded" && unloaded.resolve();
    const repository = await loaded([model("m")], { onEvent });
    const work = withResolvers<string>();
    const inUse = repository.use({ name: "m" }, ({ version }) => work.promise.then((text) => `${text} ${version}`));
    await write("m", "2");
    await repository.poll();
    expect(statesOf(repository)).toEqual(["2 available", "1 unloading"]);
    expect(closed).toEqual([]);
    work.resolve("done");
    expect(await inUse).toBe("done 1");
    await unloaded.promise;
    expect(closed).toEqual([join(folder, "m", "1")]);
    expect(statesOf(repository)).toEqual(["2 available", "1 end"]);
  });
});

describe("a repository that is given other models", () => {
  test("unloads those that are absent, and loads them again when they are back", async () => {
    for (const name of ["m", "n"]) await write(name, "1");
    const repository = await loaded([model("m")]);
    await repository.reload([model("n")]);
    expect([statesOf(repository, "n"), repository.find({ name: "n" }).version]).toEqual([["1 available"], 1n]);
    expect(() => repository.find({ name: "m" })).toThrow("Servable not found");
    await repository.reload([model("m"), model("n")]);
    expect(repository.find({ name: "m" }).version).toBe(1n);
  });

  test("refuses those that don't fit together, and goes on as before", async () => {
    await write("m", "1");
    const repository = await loaded([model("m")]);
    await expect(repository.reload([model("n"), model("n")])).rejects.toMatchObject({ code: "invalid-argument" });
    expect(repository.find({ name: "m" }).version).toBe(1n);
  });

  test("rejects with the error of one that can't be loaded", async () => {
    for (const name of ["m", "broken"]) await write(name, "1");
    await spoil("broken", "1");
    const repository = await loaded([model("m")]);
    await expect(repository.reload([model("m"), model("broken")])).rejects.toMatchObject({ code: "data-loss" });
    expect(repository.find({ name: "m" }).version).toBe(1n);
  });
});

describe("labels", () => {
  const labelled = (labels: Record<string, bigint>) => [model("m", { versions: "all", labels })];

  test("stand for versions, and may be moved", async () => {
    for (const version of ["1", "2"]) await write("m", version);
    const repository = await loaded(labelled({ stable: 1n, canary: 2n }));
    expect(repository.find({ name: "m", label: "stable" }).version).toBe(1n);
    await repository.reload(labelled({ stable: 2n }));
    expect(repository.find({ name: "m", label: "stable" }).version).toBe(2n);
    for (const label of ["canary", "__proto__"]) {
      const find = () => repository.find({ name: "m", label });
      expect(find).toThrow(expect.objectContaining({ code: "invalid-argument" }));
      expect(find).toThrow(`Unrecognized servable version label: ${label}`);
    }
  });

  test("are unavailable before the models are loaded", () => {
    const repository = repositoryOf(labelled({ stable: 1n }));
    expect(() => repository.find({ name: "m", label: "stable" })).toThrow(
      expect.objectContaining({ code: "unavailable" }),
    );
  });

  test("of versions that aren't there are refused, and the old ones stay", async () => {
    await write("m", "1");
    const repository = await loaded(labelled({ stable: 1n }));
    await expect(repository.reload(labelled({ stable: 2n }))).rejects.toMatchObject({
      code: "failed-precondition",
      message: expect.stringContaining("not currently available for inference"),
    });
    expect(repository.find({ name: "m", label: "stable" }).version).toBe(1n);
  });

  test("of versions that aren't there may be new, if that is allowed, but not moved", async () => {
    await write("m", "1");
    const repository = await loaded(labelled({ stable: 1n }), { allowLabelsForUnavailable: true });
    await repository.reload(labelled({ stable: 1n, canary: 9n }));
    expect(() => repository.find({ name: "m", label: "canary" })).toThrow("Specific(m, 9)");
    await expect(repository.reload(labelled({ stable: 9n }))).rejects.toMatchObject({ code: "failed-precondition" });
  });
});

describe("loading and unloading one model", () => {
  test("loads a version anew that is still being unloaded, once it is", async () => {
    await write("m", "1");
    const closing = withResolvers<void>();
    const slow: OpenModel = async (...model) => ({ ...(await openModel(...model)), close: () => closing.promise });
    const repository = await loaded([model("m")], { openModel: slow });
    await repository.unloadModel("m");
    expect(statesOf(repository)).toEqual(["1 unloading"]);
    const loading = repository.loadModel("m").catch((error: unknown) => error);
    for (let turn = 0; turn < 50; turn++) await stat(folder); // by when it has found the version's folder
    closing.resolve();
    expect(await loading).toBeUndefined();
    expect(statesOf(repository)).toEqual(["1 available"]);
  });

  test("holds it unloaded until it is loaded again", async () => {
    await write("m", "1");
    const repository = await loaded([model("m")]);
    await repository.unloadModel("m");
    await repository.poll();
    expect(() => repository.find({ name: "m" })).toThrow("Servable not found");
    await repository.loadModel("m");
    expect(repository.find({ name: "m" }).version).toBe(1n);
    await expect(repository.loadModel("other")).rejects.toMatchObject({ code: "not-found" });
  });
});

test("a session may be wrapped, and is closed through its wrapper", async () => {
  await write("m", "1");
  const places: unknown[] = [];
  const repository = await loaded([model("m")], {
    wrapSession: (session, place) => {
      places.push(place);
      const close = async () => {
        closed.push("wrapper");
        await session.close();
      };
      return { ...session, close };
    },
  });
  await repository.close();
  const path = join(folder, "m", "1");
  expect(places).toEqual([{ model: "m", version: 1n, signature: "serving_default", path }]);
  expect(closed).toEqual(["wrapper", path]);
});

test("a model folder hands out a shard only if its bytes are what the manifest says", async () => {
  await writeDoublingModel(folder);
  const { manifest, readShard } = await readModelFolder(folder);
  const [shard] = manifest.weightGroups.flatMap(({ shards }) => shards) as [Shard];
  expect(new Float32Array(await readShard(shard))).toEqual(Float32Array.of(2));
  await expect(readShard({ ...shard, sha256: "0".repeat(64) })).rejects.toMatchObject({ code: "data-loss" });
});
