import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type RolldownOutput, rolldown } from "rolldown";
import { expect, test } from "vitest";

const bundleFolder = fileURLToPath(new URL("../packages/sdk/bundle/", import.meta.url));

const gzipBytes = (text: string | Uint8Array) => gzipSync(text, { level: 9 }).byteLength;

/**
 * The bytes, compressed, that a page downloads for a module of this text: its first chunk and the later ones named, with
 * all that these import.
 */
async function pageBytes(text: string, later: readonly string[] = []): Promise<number> {
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
  const missing = later.filter((name) => !chunks.some((chunk) => chunk.name === name));
  expect(missing).toEqual([]);
  const downloaded = new Set(chunks.filter(({ name, isEntry }) => isEntry || later.includes(name)));
  for (const { imports } of downloaded) {
    for (const chunk of chunks) if (imports.includes(chunk.fileName)) downloaded.add(chunk);
  }
  return [...downloaded].reduce((sum, { code }) => sum + gzipBytes(code), 0);
}

test("a page that opens and runs a model downloads 6 kB", async () => {
  const bytes = await pageBytes('import { openSession } from "nearside"; globalThis.open = openSession;');
  expect(bytes).toBeLessThan(6000);
});

/**
 * What comes later to a page with a fallback, images and streams; only `backend: "auto"` and
 * `memoryLimitBytes` bring more.
 */
const later = ["open-with-server", "copy-images", "stream-runs"];

test("with a fallback, images and streams a page downloads 12 KB, all that comes later with it", async () => {
  const names = "{ frames, image, openSession }";
  const bytes = await pageBytes(`import ${names} from "nearside"; globalThis.nearside = ${names};`, later);
  expect(bytes).toBeLessThan(12 * 1024);
});

test("all that can be imported at once is 12.25 KB", async () => {
  const bytes = await pageBytes('import * as nearside from "nearside"; globalThis.nearside = nearside;');
  expect(bytes).toBeLessThan(12.25 * 1024);
});

test("the bundled scripts are in ASCII, which browsers decode and parse in half the memory", () => {
  const scripts = readdirSync(bundleFolder).filter((name) => name.endsWith(".js"));
  expect(scripts).toContain("wasm.js");
  const others = scripts.filter((name) => readFileSync(`${bundleFolder}${name}`).some((byte) => byte > 0x7f));
  expect(others).toEqual([]);
});

test.each([
  ["webgpu", 115 * 1024],
  ["wasm", 86 * 1024],
  ["webgl", 115 * 1024],
  ["cpu", 73 * 1024],
  ["kernels", 40 * 1024],
  ["server", 6.25 * 1024],
  ["images", 2 * 1024],
  ["samples", 512],
])("the worker of %s has no more than %d bytes", (name, limit) => {
  expect(gzipBytes(readFileSync(`${bundleFolder}${name}.js`))).toBeLessThan(limit);
});
