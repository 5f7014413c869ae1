import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { expect, test } from "vitest";
import { launchChromium } from "./chromium.ts";
import { serveFiles } from "./file-server.ts";
import { convertModels, readExample } from "./models.ts";

const examples = fileURLToPath(new URL("../examples/", import.meta.url));
const results = fileURLToPath(new URL("./results/", import.meta.url));
const built = `${results}browser-example`;

/** Runs an example as its reader would, and gives what it printed. */
function run(script: string): string {
  const env = { ...process.env, XDG_CACHE_HOME: `${results}cache` }; // where the server keeps conversions
  return execFileSync(process.execPath, [script], { cwd: examples, encoding: "utf8", env });
}

test("examples/convert.mjs converts the digits model", () => {
  rmSync(`${examples}out`, { recursive: true, force: true });
  expect(run("convert.mjs")).toMatch(/^\d+ shards, \d+ bytes of weights\n$/);
  expect(JSON.parse(readFileSync(`${examples}out/digits/model.json`, "utf8")).format).toBe("graph-model");
});

test("examples/server.mjs runs a model on a server it starts", () => {
  rmSync(`${results}cache`, { recursive: true, force: true });
  expect(run("server.mjs")).toMatch(/^wasm on the server: -?\d+\.\d+, -?\d+\.\d+\n$/);
});

test("examples/browser runs the digits model in a page", async () => {
  await build({
    root: `${examples}browser`,
    build: { outDir: built, emptyOutDir: true, target: "es2022" },
    logLevel: "error",
  });
  await using models = await convertModels([await readExample("digits")]);
  await using files = await serveFiles({ "/models/": models.folder, "/": built });
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.goto(`${files.origin}/index.html`);
    await page.getByText("webgpu: 10 probabilities").waitFor();
  } finally {
    await browser.close();
  }
});

test("every sample in the README is an example that ran, or a command", () => {
  const readme = readFileSync(fileURLToPath(new URL("../README.md", import.meta.url)), "utf8");
  const samples = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map((match) => match[1] as string);
  const files = ["convert.mjs", "server.mjs", "browser/main.js"].map((name) => readFileSync(examples + name, "utf8"));
  expect(samples).toHaveLength(files.length);
  for (const sample of samples) expect(files).toContain(sample);
});
