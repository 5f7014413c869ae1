import { fileURLToPath } from "node:url";
import { useSession } from "nearside/react";
import type { Browser, Page } from "playwright";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { build } from "vite";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { launchChromium } from "./chromium.ts";
import { type FileServer, serveFiles } from "./file-server.ts";
import { type ConvertedModels, convertModels, readExample } from "./models.ts";

const built = fileURLToPath(new URL("./results/eco-react", import.meta.url));

/** What the page's component takes. */
interface Props {
  readonly model: string;
  readonly options: { readonly backend: "cpu"; readonly warmUp?: boolean };
}

declare global {
  var renderModel: (props: Props | null) => void;
  var mounts: number;
  var renders: { model: string; open?: string; loadedBytes?: number; code?: string }[];
}

let models: ConvertedModels;
let files: FileServer;
let browser: Browser;
let page: Page;
/** How many workers the page has started. */
let started: number;
beforeAll(async () => {
  await build({
    root: fileURLToPath(new URL("./eco-react", import.meta.url)),
    mode: "development", // React's checks, and StrictMode's second mount
    define: { "process.env.NODE_ENV": '"development"' },
    build: { outDir: built, emptyOutDir: true, minify: false },
    logLevel: "error",
  });
  models = await convertModels(await Promise.all([readExample("digits"), readExample("linear-regression")]));
  files = await serveFiles({ "/models/": models.folder, "/": built });
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await files?.[Symbol.asyncDispose]();
  await models?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  page = await browser.newPage();
  started = 0;
  files.requests.length = 0;
  page.on("worker", () => started++);
  await page.goto(`${files.origin}/index.html`);
  await page.waitForFunction(() => "renderModel" in globalThis);
});
afterEach(() => page.close());

const digits = "/models/digits/model.json";
const linear = "/models/linear-regression/model.json";
const cpu = { backend: "cpu" } as const;

async function render(props: Props | null): Promise<void> {
  await page.evaluate((props) => globalThis.renderModel(props), props);
}

async function whenOpen(model: string): Promise<void> {
  await page.getByText(`open: ${files.origin}${model}`).waitFor();
}

/** Resolves once the workers are gone that the page has now. */
async function whenWorkersAreGone(): Promise<void> {
  await Promise.all(page.workers().map((worker) => worker.waitForEvent("close")));
}

function ServerModel() {
  return createElement("p", null, JSON.stringify(Object.values(useSession(digits, cpu))));
}

test("useSession opens a model once, also in StrictMode, and tells its progress", async () => {
  await render({ model: digits, options: cpu });
  await whenOpen(digits);
  expect(started).toBe(1);
  expect(files.requests.filter((path) => path === digits)).toHaveLength(1);
  expect(await page.evaluate(() => globalThis.mounts)).toBe(2);
  const renders = await page.evaluate(() => globalThis.renders);
  expect(renders.some(({ open, loadedBytes }) => open === undefined && (loadedBytes ?? 0) > 0)).toBe(true);
});

test("useSession opens nothing again for options of the same values, and does for others", async () => {
  await render({ model: digits, options: { backend: "cpu" } });
  await whenOpen(digits);
  await render({ model: digits, options: { backend: "cpu" } });
  await render({ model: digits, options: { backend: "cpu" } });
  expect(started).toBe(1);
  const second = page.waitForEvent("worker");
  await render({ model: digits, options: { backend: "cpu", warmUp: false } });
  await second;
  await whenOpen(digits);
  expect(started).toBe(2);
});

test("useSession closes its session when the component goes", async () => {
  await render({ model: digits, options: cpu });
  await whenOpen(digits);
  expect(page.workers()).toHaveLength(1);
  await render(null);
  await whenWorkersAreGone();
  expect(page.workers()).toEqual([]);
});

test("useSession closes the session of another model, and never shows it as the new one's", async () => {
  await render({ model: digits, options: cpu });
  await whenOpen(digits);
  const [first] = page.workers();
  const closed = first?.waitForEvent("close");
  await render({ model: linear, options: cpu });
  await whenOpen(linear);
  await closed;
  expect(page.workers()).toHaveLength(1);
  const renders = await page.evaluate(() => globalThis.renders);
  expect(renders.filter(({ model, open }) => open !== undefined && !open.endsWith(model))).toEqual([]);
});

test("useSession leaves no worker behind when the component goes before the session is open", async () => {
  const worker = page.waitForEvent("worker");
  await render({ model: digits, options: cpu });
  await worker;
  await render(null);
  await whenWorkersAreGone();
  expect(page.workers()).toEqual([]);
  await render({ model: linear, options: cpu });
  await whenOpen(linear);
});

test("useSession gives the error of a model that isn't there, and opens the next one", async () => {
  await render({ model: "/models/none/model.json", options: cpu });
  await page.getByText("error: not-found").waitFor();
  await render({ model: linear, options: cpu });
  await whenOpen(linear);
});

test("useSession opens nothing where a server renders", () => {
  expect(renderToString(createElement(ServerModel))).toBe("<p>[null,null,null]</p>");
});
