import { existsSync } from "node:fs";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { parseManifest } from "@nearside/core";
import type { BrowserContext } from "playwright";
import { launchChromium } from "../../chromium.ts";
import { type FileServer, serveFiles } from "../../file-server.ts";
import { exampleModels, findModels } from "../find-models.mjs";
import { median } from "../measure-process.mjs";
import { buildPages, libraryFolders } from "./pages.ts";
import type { Visit, VisitRequest } from "./visit.ts";

const usage = "visits [--models DIR] [--only NAME,…] [--backend wasm,webgpu] [--visits N]";

/** Who is visited, and which files of a model it is given: the Python converter's where they are there. */
const visitors = { nearside: "nearside", tfjs: "reference" } as const;

/**
 * Measures second visits: a page that opens a model which the visit before it kept in IndexedDB, with no network for the
 * model's files, and runs it once; ours and TensorFlow.js's, in turn in one browser, which has the pages' scripts and
 * WebAssembly in its HTTP cache. Prints milliseconds from the page's start (medians): its script running, the model open,
 * the first outputs; and ours as a share of theirs.
 */
export async function benchVisits(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      models: { type: "string", default: exampleModels },
      only: { type: "string" },
      backend: { type: "string", default: "wasm,webgpu" },
      visits: { type: "string", default: "9" },
    },
  });
  const [backends, visits] = [values.backend.split(","), Number(values.visits)];
  if (!backends.every((name) => name === "wasm" || name === "webgpu") || !(visits > 0)) {
    throw new Error(`npm run bench -- ${usage}`);
  }
  const folder = await mkdtemp(join(tmpdir(), "nearside-bench-"));
  const pages = join(folder, "pages");
  await buildPages(["visit-nearside", "visit-tfjs"], pages);
  const folders = { ...libraryFolders(), "/models/": join(folder, "models"), "/": pages };
  await using server = await serveFiles(folders, { "cache-control": "max-age=3600" });
  try {
    for (const { name, savedModel } of await findModels(values.models, usage)) {
      if (values.only && !values.only.split(",").includes(name)) continue;
      const served = join(folder, "models", name);
      await convert(readDirectory(savedModel), writeDirectory(join(served, "nearside")));
      const reference = join(dirname(savedModel), "reference");
      await cp(existsSync(reference) ? reference : join(served, "nearside"), join(served, "reference"), {
        recursive: true,
      });
      const { signature } = parseManifest(await readFile(join(served, "nearside/model.json"), "utf8"));
      const shapes = Object.entries(signature.inputs).map(
        ([key, { shape }]) => [key, (shape ?? []).map((size) => size ?? 1)] as const,
      );
      const inputs = Object.fromEntries(shapes);
      for (const backend of backends) {
        const of = (visitor: keyof typeof visitors) => {
          const model = `${server.origin}/models/${name}/${visitors[visitor]}/model.json`;
          const request = encodeURIComponent(JSON.stringify({ model, backend, inputs } as VisitRequest));
          return `${server.origin}/visit-${visitor}.html#${request}`;
        };
        const cut = () => cutOff(server, "/models/", join(folder, "models"));
        console.log(describe(`${name} on ${backend}`, await visitInTurn(of, visits, cut, backend === "webgpu")));
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Takes what is in a folder off the network, until the function that it returns is called. */
async function cutOff(server: FileServer, prefix: string, folder: string): Promise<() => void> {
  const names = await readdir(folder, { recursive: true });
  for (const name of names) server.faults.set(`${prefix}${name}`, () => ({ status: 503 }));
  return () => server.faults.clear();
}

type Visits = Readonly<Record<keyof typeof visitors, readonly Visit[]>>;

async function visitInTurn(
  urlOf: (visitor: keyof typeof visitors) => string,
  count: number,
  cut: () => Promise<() => void>,
  webgpu: boolean,
): Promise<Visits> {
  const browser = await launchChromium({ webgpu });
  let restore = () => {};
  try {
    const context = await browser.newContext();
    const found: Record<keyof typeof visitors, Visit[]> = { nearside: [], tfjs: [] };
    const names = Object.keys(visitors) as (keyof typeof visitors)[];
    for (const name of names) await visit(context, urlOf(name)); // the first one
    restore = await cut(); // by the server: a browser whose requests are intercepted has no HTTP cache
    for (let turn = 0; turn < count; turn++) {
      for (const name of names) found[name].push(await visit(context, urlOf(name)));
    }
    return found;
  } finally {
    restore();
    await browser.close();
  }
}

/** Until the browser has drawn its own new tab, which takes both cores of a small machine. */
const tabMs = 500;

async function visit(context: BrowserContext, url: string): Promise<Visit> {
  const page = await context.newPage();
  try {
    await new Promise((resolve) => setTimeout(resolve, tabMs));
    const visited = new Promise<Visit>((resolve, reject) => {
      page.on("console", (message) => message.type() === "info" && resolve(JSON.parse(message.text())));
      page.on("pageerror", reject);
    });
    const [visit] = await Promise.all([visited, page.goto(url, { waitUntil: "commit" })]);
    return visit;
  } finally {
    await page.close();
  }
}

function describe(what: string, found: Visits): string {
  const rows = Object.entries(found).map(([name, visits]) => {
    const at = (mark: keyof Visit) => median(visits.map((each) => each[mark]));
    return { name, script: at("scriptMs"), open: at("openMs"), first: at("firstMs") };
  });
  const lines = rows.map(
    ({ name, script, open, first }) =>
      `  ${name.padEnd(10)} script ${script.toFixed(0)} ms, open ${open.toFixed(0)} ms, first result ${first.toFixed(0)} ms`,
  );
  const [ours, theirs] = rows;
  return [what, ...lines, `  ours: ${((ours?.first ?? 0) / (theirs?.first ?? 1)).toFixed(2)}×`].join("\n");
}
