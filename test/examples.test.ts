import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createServer } from "@nearside/server";
import type { Page } from "playwright";
import { build, createServer as createDevServer } from "vite";
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
  expect(JSON.parse(readFileSync(`${examples}out/models/digits/model.json`, "utf8")).format).toBe("graph-model");
});

test("examples/server.mjs runs a model on a server it starts", () => {
  rmSync(`${results}cache`, { recursive: true, force: true });
  expect(run("server.mjs")).toMatch(/^\w+ on the server: -?\d+\.\d+, -?\d+\.\d+\n$/);
});

test.each(["browser", "image", "stream"])(
  "examples/%s has what convert.mjs wrote, on Vite's dev server",
  async (name) => {
    run("convert.mjs");
    const server = await createDevServer({
      root: examples + name,
      server: { port: 0, host: "127.0.0.1" },
      logLevel: "error",
    });
    try {
      await server.listen();
      const response = await fetch(new URL("models/digits/model.json", server.resolvedUrls?.local[0]));
      expect(await response.text()).toBe(readFileSync(`${examples}out/models/digits/model.json`, "utf8"));
    } finally {
      await server.close();
    }
  },
);

/** Builds the example of this folder with its own configuration, and opens it in a browser. */
async function openBuilt(
  name: string,
  use: (page: Page) => Promise<void>,
  { models = "", server, webgpu = true }: { models?: string; server?: string; webgpu?: boolean } = {},
): Promise<void> {
  const outDir = `${results}${name}-example`;
  const define = { ...(server && { "import.meta.env.VITE_SERVER": JSON.stringify(server) }) };
  await build({
    root: examples + name,
    build: { outDir, emptyOutDir: true, target: "es2022" },
    define,
    logLevel: "error",
  });
  await using files = await serveFiles({ ...(models && { "/models/": models }), "/": outDir });
  const browser = await launchChromium({ webgpu });
  try {
    const page = await browser.newPage();
    await page.goto(`${files.origin}/index.html`);
    await use(page);
  } finally {
    await browser.close();
  }
}

test.each([
  ["browser", "webgpu: 10 probabilities"],
  ["stream", /^webgpu: \d$/],
] as const)("examples/%s runs the digits model in a page", async (name, shown) => {
  await using models = await convertModels([await readExample("digits")]);
  await openBuilt(name, (page) => page.getByText(shown).waitFor(), { models: models.folder });
});

test("examples/image reads the digit in a picture", async () => {
  await using models = await convertModels([await readExample("digits")]);
  const read = async (page: Page) => {
    const url = await page.evaluate(() => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 140, height: 140 });
      const context = canvas.getContext("2d") as CanvasRenderingContext2D;
      context.fillRect(0, 0, 140, 140);
      context.fillStyle = "white";
      context.font = "100px sans-serif";
      context.fillText("7", 42, 106);
      return canvas.toDataURL();
    });
    const buffer = Buffer.from(url.split(",")[1] ?? "", "base64");
    await page.locator("input:enabled").setInputFiles({ name: "seven.png", mimeType: "image/png", buffer });
    await page.getByText("webgpu: 7").waitFor();
  };
  await openBuilt("image", read, { models: models.folder });
});

test.each([
  [true, "local: 10 probabilities"],
  [false, "server: 10 probabilities"],
])("examples/fallback runs the model where it can (WebGPU in the page: %s)", async (webgpu, shown) => {
  const basePath = await mkdtemp(join(tmpdir(), "nearside-"));
  await using models = await convertModels([await readExample("digits")]);
  await rename(join(models.folder, "digits"), join(basePath, "1"));
  const server = createServer({
    models: [{ name: "digits", basePath }],
    host: "127.0.0.1",
    restPort: 0,
    corsOrigins: ["*"],
  });
  try {
    await server.listen();
    await openBuilt("fallback", (page) => page.getByText(shown).waitFor(), { server: server.url as string, webgpu });
  } finally {
    await server.close();
    await rm(basePath, { recursive: true, force: true });
  }
});

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
  const pages = ["browser/main.js", "fallback/main.js", "image/main.js", "stream/main.js", "react/main.jsx"];
  const names = ["convert.mjs", "server.mjs", ...pages];
  const files = names.map((name) => readFileSync(examples + name, "utf8"));
  expect(samples).toHaveLength(files.length);
  for (const sample of samples) expect(files).toContain(sample);
  expect(readme).toContain(readFileSync(`${examples}vite/main.ts`, "utf8"));
});
