import { fileURLToPath } from "node:url";
import type { Browser } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serveCdn } from "./cdn.ts";
import { launchChromium } from "./chromium.ts";
import { type ConvertedModels, convertModels, readExample } from "./models.ts";

let models: ConvertedModels;
let browser: Browser;
beforeAll(async () => {
  models = await convertModels([await readExample("digits")]);
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await models?.[Symbol.asyncDispose]();
});

const below = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

test.each(["webgpu", "wasm"])("a plain page has nearside of another origin, its worker for %s too", async (backend) => {
  await using cdn = await serveCdn({
    "/nearside/": below("packages/sdk"),
    "/core/": below("packages/core"),
    "/idb-keyval/": below("node_modules/idb-keyval"),
  });
  await using site = await serveCdn({ "/models/": models.folder });
  const imports = {
    nearside: `${cdn.origin}/nearside/dist/index.js`,
    "@nearside/core": `${cdn.origin}/core/dist/index.js`,
    "idb-keyval": `${cdn.origin}/idb-keyval/dist/index.js`,
  };
  const page = `<!doctype html>
    <link rel="icon" href="data:," />
    <script type="importmap">${JSON.stringify({ imports })}</script>
    <script type="module">
      import { openSession, tensor } from "nearside";
      const session = await openSession("/models/digits/model.json", { backend: "${backend}" });
      const image = tensor(new Float32Array(784), { shape: [1, 28, 28, 1] });
      const { probabilities } = await session.run({ image });
      document.body.textContent = session.backend + ": " + probabilities.data.length + " probabilities";
    </script>`;
  site.files.set("/index.html", Buffer.from(page));
  const tab = await browser.newPage();
  const errors: string[] = [];
  tab.on("pageerror", (error) => errors.push(error.message));
  await tab.goto(`${site.origin}/index.html`);
  await tab.getByText(`${backend}: 10 probabilities`).waitFor();
  expect(errors).toEqual([]);
});
