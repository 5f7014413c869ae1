import { execFileSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nearside } from "nearside/vite";
import type { Browser } from "playwright";
import { build, createServer, type InlineConfig } from "vite";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { launchChromium } from "./chromium.ts";
import { serveFiles } from "./file-server.ts";

const source = fileURLToPath(new URL("./eco-vite", import.meta.url));
const results = fileURLToPath(new URL("./results", import.meta.url)); // below the packages that a project imports
const compiler = fileURLToPath(new URL("../node_modules/.bin/tsc", import.meta.url));

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());

/** A new project, whose page imports `./model?nearside`. */
let root: string;
beforeEach(async () => {
  await mkdir(results, { recursive: true });
  root = await mkdtemp(join(results, "eco-vite-"));
  await cp(source, root, { recursive: true });
  return () => rm(root, { recursive: true, force: true });
});

function config(): InlineConfig {
  return { root, configFile: false, plugins: [nearside()], logLevel: "silent", cacheDir: join(root, ".vite") };
}

/** Writes a SavedModel as text: y = op(x). */
async function writeModel(op: string): Promise<void> {
  const pair = "dtype: DT_FLOAT tensor_shape { dim { size: 2 } }";
  const shape = 'attr { key: "shape" value { shape { dim { size: 2 } } } }';
  await mkdir(join(root, "model"), { recursive: true });
  const text = `saved_model_schema_version: 1
    meta_graphs {
      meta_info_def { tags: "serve" }
      graph_def {
        node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } ${shape} }
        node { name: "y" op: "${op}" input: "x" attr { key: "T" value { type: DT_FLOAT } } }
        versions { producer: 1000 }
      }
      signature_def {
        key: "serving_default"
        value {
          inputs { key: "x" value { name: "x:0" ${pair} } }
          outputs { key: "y" value { name: "y:0" ${pair} } }
          method_name: "tensorflow/serving/predict"
        }
      }
    }`;
  await writeFile(join(root, "written"), text);
  await rename(join(root, "written"), join(root, "model/saved_model.pbtxt")); // at once, so it changes once
}

test.each(["/", "./"])("nearside/vite builds a page with its model among its assets, with base %s", async (base) => {
  await writeModel("Neg");
  await build({ ...config(), base });
  const assets = await readdir(join(root, "dist/assets"));
  expect(assets).toContainEqual(expect.stringMatching(/^model-[0-9a-f]{16}\.json$/));
  const below = base === "/" ? "" : "/below/a/path"; // a relative base may be anywhere
  await using files = await serveFiles({ [`${below}/`]: join(root, "dist") });
  const page = await browser.newPage();
  await page.goto(`${files.origin}${below}/index.html`);
  await page.getByText("y = 1, -2").waitFor();
  await page.close();
});

test("nearside/vite emits shards that are named by their content, and the manifest that names them", async () => {
  await cp(fileURLToPath(new URL("../examples/models/digits/saved_model", import.meta.url)), join(root, "model"), {
    recursive: true,
  });
  await build(config());
  const assets = await readdir(join(root, "dist/assets"));
  const manifest = assets.find((name) => name.startsWith("model-")) ?? "";
  const { weightsManifest } = JSON.parse(await readFile(join(root, "dist/assets", manifest), "utf8"));
  const shards = weightsManifest.flatMap(({ paths }: { paths: string[] }) => paths);
  expect(shards.length).toBeGreaterThan(0);
  for (const shard of shards) expect(assets).toContain(shard);
  for (const shard of shards) expect(shard).toMatch(/^[0-9a-f]{16}\.bin$/);
});

test("nearside/vite declares what the model takes and returns, so that a misspelt input doesn't compile", async () => {
  await writeModel("Neg");
  await build(config());
  execFileSync(compiler, ["--project", root], { encoding: "utf8", stdio: "pipe" }); // throws where it doesn't compile
});

test("nearside/vite makes an op that can't be converted an error of the build, with the table", async () => {
  await writeModel("NoSuchOp");
  await expect(build(config())).rejects.toThrow(/1 × NoSuchOp {2}"y"\s+TensorFlow.js has no such op\s+→/);
  await rm(join(root, "model"), { recursive: true });
  await expect(build(config())).rejects.toThrow("./model?nearside: there is no SavedModel");
});

test("nearside/vite converts a changed model again in a build that watches", async () => {
  await writeModel("Neg");
  const watcher = await build({ ...config(), build: { watch: {} } });
  if (!("on" in watcher)) throw new Error("the build doesn't watch");
  const manifests = async () =>
    (await readdir(join(root, "dist/assets")).catch(() => [])).filter((name) => /^model-\w+\.json$/.test(name));
  try {
    const [first] = await vi.waitFor(async () => {
      const found = await manifests();
      expect(found).toHaveLength(1);
      return found;
    }, 30_000);
    await vi.waitFor(async () => {
      await writeModel("Relu"); // again: the file watcher misses what follows a change too closely
      await vi.waitFor(async () => {
        const [found = first] = await manifests();
        expect(found).not.toBe(first);
      }, 5_000);
    }, 30_000);
  } finally {
    await watcher.close();
  }
});

test("nearside/vite converts a changed model again while the dev server runs, and shows what is wrong with it", async () => {
  await writeModel("NoSuchOp");
  const server = await createServer({ ...config(), base: "/app/", server: { port: 0, host: "127.0.0.1" } });
  try {
    await server.listen();
    const page = await browser.newPage();
    const [url = ""] = server.resolvedUrls?.local ?? [];
    await page.goto(url);
    const shows = (text: string, timeout: number) => page.getByText(text).waitFor({ timeout }); // in Vite's overlay, too
    await shows('1 × NoSuchOp  "y"', 30_000);
    /** Resolves when the page shows this for the model: the file watcher misses what follows a change too closely. */
    const showsFor = async (op: string, text: string) =>
      vi.waitFor(async () => {
        await writeModel(op);
        await shows(text, 5_000);
      }, 30_000);
    await showsFor("Neg", "y = 1, -2");
    await showsFor("Relu", "y = 0, 2");
    await showsFor("NoSuchOp", '1 × NoSuchOp  "y"');
    // Again: Vite tells the page that was left, and not the new one, where the former's socket is still open.
    await vi.waitFor(async () => {
      await page.reload();
      await shows('1 × NoSuchOp  "y"', 5_000);
    }, 30_000);
    await showsFor("Relu", "y = 0, 2");
  } finally {
    await server.close();
  }
});
