import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type RolldownOutput, rolldown } from "rolldown";
import { expect, test } from "vitest";

const bundleFolder = fileURLToPath(new URL("../packages/sdk/bundle/", import.meta.url));

const gzipBytes = (text: string | Uint8Array) => gzipSync(text, { level: 9 }).byteLength;

/** The bytes, compressed, that a page downloads for a module of this text: its first chunk, and those named. */
async function pageBytes(text: string, lazy: readonly string[] = []): Promise<number> {
  const entry = fileURLToPath(new URL("size-entry.js", import.meta.url)); // nearside is found from here
  const bundle = await rolldown({
    input: entry,
    platform: "browser",
    plugins: [
      {
        name: "entry",
        load: (id) => (id === entry ? text : undefined),
        resolveId: (id) => (id === entry ? id : undefined),
      },
    ],
  });
  const { output }: RolldownOutput = await bundle.generate({ minify: true, comments: false });
  const chunks = output.flatMap((file) => (file.type === "chunk" ? [file] : []));
  const missing = lazy.filter((name) => !chunks.some((chunk) => chunk.name === name));
  expect(missing).toEqual([]);
  const downloaded = chunks.filter(({ name, isEntry }) => isEntry || lazy.includes(name));
  return downloaded.reduce((sum, { code }) => sum + gzipBytes(code), 0);
}

test("a page that opens and runs a model downloads 6 KB", async () => {
  const bytes = await pageBytes('import { openSession } from "nearside"; globalThis.open = openSession;');
  expect(bytes).toBeLessThan(6 * 1024);
});

/**
 * What comes later to a page with a fallback, images and streams; only `backend: "auto"` and
 * `memoryLimitBytes` bring more.
 */
const later = ["open-with-server", "http-transport", "copy-images", "stream-runs", "state-place", "elsewhere-place"];

test("with a fallback, images and streams a page downloads 15 KB, all that comes later with it", async () => {
  const names = "{ frames, image, openSession }";
  const bytes = await pageBytes(`import ${names} from "nearside"; globalThis.nearside = ${names};`, later);
  expect(bytes).toBeLessThan(15 * 1024);
});

test("all that can be imported at once is 11 KB", async () => {
  const bytes = await pageBytes('import * as nearside from "nearside"; globalThis.nearside = nearside;');
  expect(bytes).toBeLessThan(11 * 1024);
});

test.each([
  ["webgpu", 150 * 1024],
  ["wasm", 123 * 1024],
  ["webgl", 152 * 1024],
  ["cpu", 108 * 1024],
  ["images", 2 * 1024],
  ["samples", 512],
])("the worker of %s has no more than %d bytes", (name, limit) => {
  expect(gzipBytes(readFileSync(`${bundleFolder}${name}.js`))).toBeLessThan(limit);
});
