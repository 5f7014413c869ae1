import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeUnconvertibleModel } from "../testing/unconvertible-model.ts";
import { convertOnce } from "./convert-once.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearside-convert-once-"));
  const file = join(folder, "saved_model.pbtxt");
  await writeUnconvertibleModel(folder);
  await writeFile(file, (await readFile(file, "utf8")).replace("1099511627776", "1"));
});
afterEach(() => rm(folder, { recursive: true }));

test("convertOnce leaves model.json in Brotli and gzip beside it", async () => {
  const converted = await convertOnce(folder, { cacheDir: join(folder, "cache") });
  const read = (name: string) => readFile(join(converted, name));
  const text = await read("model.json");
  expect(brotliDecompressSync(await read("model.json.br"))).toEqual(text);
  expect(gunzipSync(await read("model.json.gz"))).toEqual(text);
});

test("convertOnce may be at the same model in several servers", async () => {
  const cacheDir = join(folder, "cache");
  const convert = async () => readdir(await convertOnce(folder, { cacheDir }));
  const files = ["model.d.ts", "model.json", "model.json.br", "model.json.gz"];
  const found = await Promise.all(Array.from({ length: 8 }, convert));
  expect(found.map((names) => names.filter((name) => !name.endsWith(".bin")))).toEqual(found.map(() => files));
});
