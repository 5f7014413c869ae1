import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright";
import { build } from "vite";
import { expect, test } from "vitest";
import { launchChromium } from "./chromium.ts";
import { serveFiles } from "./file-server.ts";
import { convertModels, readExample } from "./models.ts";

const examples = fileURLToPath(new URL("../examples/", import.meta.url));
const results = fileURLToPath(new URL("./results/", import.meta.url));

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

test.each([
  ["browser", "webgpu: 10 probabilities"],
  ["stream", /^webgpu: \d$/],
] as const)("examples/%s runs the digits model in a page", async (name, shown) => {
  const built = `${results}${name}-example`;
  await build({
    root: examples + name,
    build: { outDir: built, emptyOutDir: true, target: "es2022" },
    logLevel: "error",
  });
  await using models = await convertModels([await readExample("digits")]);
  await using files = await serveFiles({ "/models/": models.folder, "/": built });
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.goto(`${files.origin}/index.html`);
    await page.getByText(shown).waitFor();
  } finally {
    await browser.close();
  }
});

/** Builds the example of this folder with its own configuration, and opens it in a browser. */
async function openBuilt(name: string, use: (page: Page) => Promise<void>): Promise<void> {
  const outDir = `${results}${name}-example`;
  await build({ root: examples + name, build: { outDir, emptyOutDir: true }, logLevel: "error" });
  await using files = await serveFiles({ "/": outDir });
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.goto(`${files.origin}/index.html`);
    await use(page);
  } finally {
    await browser.close();
  }
}

test("examples/vite imports the digits model, and keeps its types", async () => {
  const types = () => readFileSync(`${examples}vite/nearside-models.d.ts`, "utf8");
  const before = types();
  await openBuilt("vite", (page) => page.getByText("webgpu: 10 probabilities").waitFor());
  expect(types()).toBe(before); // what TypeScript checks the example with
});

test("examples/react opens the digits model in a component and runs it", async () => {
  await openBuilt("react", async (page) => {
    await page.getByRole("button", { name: "Read an empty image" }).click();
    await page.getByText("webgpu: 10 probabilities").waitFor();
  });
});

test("every sample in the README is an example that ran, or a command", () => {
  const readme = readFileSync(fileURLToPath(new URL("../README.md", import.meta.url)), "utf8");
  const samples = [...readme.matchAll(/```jsx?\n([\s\S]*?)```/g)].map((match) => match[1] as string);
  const names = ["convert.mjs", "server.mjs", "browser/main.js", "stream/main.js", "react/main.jsx"];
  const files = names.map((name) => readFileSync(examples + name, "utf8"));
  expect(samples).toHaveLength(files.length);
  for (const sample of samples) expect(files).toContain(sample);
  expect(readme).toContain(readFileSync(`${examples}vite/main.ts`, "utf8"));
});
