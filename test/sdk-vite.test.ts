import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nearside } from "nearside/vite";
import type { Browser } from "playwright";
import { build, createServer } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serveCdn } from "./cdn.ts";
import { launchChromium } from "./chromium.ts";
import { readExample } from "./models.ts";

const results = fileURLToPath(new URL("./results/", import.meta.url)); // from where nearside is found

let root: string;
let browser: Browser;
beforeAll(async () => {
  await mkdir(results, { recursive: true });
  root = await mkdtemp(join(results, "vite-"));
  await cp((await readExample("digits")).savedModel, join(root, "saved_model"), { recursive: true });
  await writeFile(
    join(root, "index.html"),
    '<!doctype html><link rel="icon" href="data:," /><body><script type="module" src="./main.ts"></script></body>',
  );
  await writeFile(
    join(root, "main.ts"),
    `import { openSession, tensor } from "nearside";
     import model from "./saved_model?nearside";
     const session = await openSession(model, { backend: "wasm" });
     const { probabilities } = await session.run({ image: tensor(new Float32Array(784), { shape: [1, 28, 28, 1] }) });
     document.body.append(probabilities.data.length + " probabilities of " + model);`,
  );
  browser = await launchChromium({ webgpu: false });
});
afterAll(async () => {
  await browser?.close();
  if (root) await rm(root, { recursive: true, force: true });
});

test("the plugin converts an imported SavedModel in a build", async () => {
  await build({ root, configFile: false, plugins: [nearside()], build: { target: "es2022" }, logLevel: "error" });
  await using site = await serveCdn({ "/": join(root, "dist") });
  const page = await browser.newPage();
  await page.goto(`${site.origin}/index.html`);
  await page.getByText(/10 probabilities of \/assets\/saved_model-[0-9a-f]{8}\/model\.json/).waitFor();
  await page.close();
});

test("the development server converts it again, and reloads the page, when it changes", async () => {
  const server = await createServer({
    root,
    configFile: false,
    plugins: [nearside()],
    server: { host: "127.0.0.1", port: 0 },
    logLevel: "error",
  });
  await server.listen();
  try {
    const page = await browser.newPage();
    await page.goto(server.resolvedUrls?.local[0] as string); // it listens
    await page.getByText(/10 probabilities of \/@nearside\//).waitFor();
    await page.evaluate(() => document.body.append("before the change"));
    const file = join(root, "saved_model", "saved_model.pb");
    await writeFile(file, await readFile(file));
    await page.waitForFunction(() => !document.body.textContent?.includes("before the change"));
    await page.getByText(/10 probabilities of \/@nearside\//).waitFor();
    expect(server.moduleGraph.getModulesByFile(file)?.size).toBe(1);
    await page.close();
  } finally {
    await server.close();
  }
});
