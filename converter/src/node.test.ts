import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readDirectory, writeDirectory } from "./node.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("readDirectory", () => {
  test("reads byte ranges and sizes", async () => {
    await writeFile(join(folder, "a.txt"), "0123456789");
    const source = readDirectory(folder);
    expect(await source.sizeBytes("a.txt")).toBe(10);
    expect(new TextDecoder().decode(await source.read("a.txt", 2, 5))).toBe("234");
    expect(await source.read("a.txt", 8, 20)).toHaveLength(2);
  });

  test("has no size for what isn't a file", async () => {
    await mkdir(join(folder, "assets"));
    const source = readDirectory(folder);
    expect(await source.sizeBytes("missing/a.txt")).toBeUndefined();
    expect(await source.sizeBytes("assets")).toBeUndefined();
  });

  test("refuses paths that lead out of the folder", async () => {
    await expect(readDirectory(folder).read("../secret", 0, 1)).rejects.toMatchObject({ code: "invalid-argument" });
  });
});

describe("writeDirectory", () => {
  test("shows nothing before commit and everything after", async () => {
    const target = join(folder, "out");
    const sink = writeDirectory(target);
    await sink.write("model.json", bytes("{}"));
    expect(await readdir(folder)).not.toContain("out");
    await sink.commit();
    expect(await readdir(folder)).toEqual(["out"]);
    expect(await readFile(join(target, "model.json"), "utf8")).toBe("{}");
  });

  test("leaves nothing behind on discard", async () => {
    const sink = writeDirectory(join(folder, "out"));
    await sink.write("model.json", bytes("{}"));
    await sink.discard();
    await sink.discard();
    expect(await readdir(folder)).toEqual([]);
  });

  test("replaces an earlier conversion and an empty folder", async () => {
    for (const text of ["{}", "[]"]) {
      const sink = writeDirectory(folder);
      await sink.write("model.json", bytes(text));
      await sink.commit();
    }
    expect(await readFile(join(folder, "model.json"), "utf8")).toBe("[]");
  });

  test.each([["notes.txt"], ["model.json", "notes.txt"], ["weights.bin"]])(
    "refuses a folder with %s",
    async (...names) => {
      for (const name of names) await writeFile(join(folder, name), "mine");
      await expect(writeDirectory(folder).write("model.json", bytes("{}"))).rejects.toMatchObject({
        code: "already-exists",
      });
      expect((await readdir(folder)).sort()).toEqual(names);
    },
  );

  test("replaces a folder of conversions, but none with anything else in it", async () => {
    const write = async () => {
      const sink = writeDirectory(folder);
      await sink.write("encode/model.json", bytes("{}"));
      await sink.commit();
    };
    await write();
    await write();
    await writeFile(join(folder, "encode/notes.txt"), "mine");
    await expect(write()).rejects.toMatchObject({ code: "already-exists" });
  });

  test("refuses a file in the folder's place", async () => {
    await writeFile(join(folder, "out"), "mine");
    const write = writeDirectory(join(folder, "out")).write("model.json", bytes("{}"));
    await expect(write).rejects.toMatchObject({ code: "already-exists" });
  });
});
