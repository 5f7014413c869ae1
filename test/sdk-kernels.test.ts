import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { harnessFolder } from "./build-harness.ts";
import { echoModel, permutationModel, sumsModel, writeModels } from "./hand-made-models.ts";
import { type HarnessPage, openHarness } from "./harness-page.ts";
import type { PlainTensors } from "./plain-tensors.ts";

const backends = ["webgpu", "webgl", "wasm", "cpu"] as const;

let folder: string;
let kernels: string;
let harness: HarnessPage;
beforeAll(async () => {
  folder = await writeModels({ echo: echoModel, permutation: permutationModel, sums: sumsModel });
  const assets = await readdir(join(harnessFolder, "assets"));
  kernels = `/assets/${assets.find((name) => /^kernels-.*\.js$/.test(name))}`;
  harness = await openHarness(folder);
});
afterEach(() => harness?.files.faults.clear());
afterAll(async () => {
  await harness?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const places: PlainTensors = { places: { dtype: "int32", shape: [3], data: [2, 0, 1] } };

/** Opens a model in the page and runs it; `isAsked` tells whether the kernels' script was asked for meanwhile. */
async function run(name: string, inputs: PlainTensors, backend: (typeof backends)[number], on = harness) {
  const { page, files } = on;
  files.requests.length = 0;
  const target = { open: `/models/${name}/model.json`, options: { backend, cache: false } };
  const call = [target, inputs] as const;
  const outcome = await page.evaluate(([target, inputs]) => globalThis.harness.openAndRun(target, inputs), call);
  return { outcome, isAsked: files.requests.includes(kernels) };
}

test.each(backends)(
  "on %s a model with ops of ours runs, and a refusal of theirs in the warm-up is known for one",
  async (backend) => {
    const { outcome, isAsked } = await run("permutation", places, backend);
    expect(outcome).toMatchObject({ value: { backend, outputs: { y: { data: [1, 3, 3] } } } });
    expect(isAsked).toBe(true);
    const refused = await run("permutation", { places: { dtype: "int32", shape: [3], data: [0, 0, 1] } }, backend);
    expect(refused.outcome).toMatchObject({ error: { code: "invalid-argument" } });
  },
);

test("they load under a content security policy that allows the page's own scripts", async () => {
  const strict = await openHarness(folder, { webgpu: false, policy: "default-src 'self'" });
  try {
    const { outcome, isAsked } = await run("permutation", places, "cpu", strict);
    expect(outcome).toMatchObject({ value: { outputs: { y: { data: [1, 3, 3] } } } });
    expect(isAsked).toBe(true);
  } finally {
    await strict[Symbol.asyncDispose]();
  }
});

test("a model's texts are the same for them as for the worker that loads them", async () => {
  const { outcome } = await run("echo", { x: { dtype: "string", shape: [2], data: ["né", "b"] } }, "wasm");
  expect(outcome).toMatchObject({ value: { outputs: { y: { data: ["Né", "B", "Né", "B"] } } } });
});

test.each(backends)("on %s a model without them never loads their script", async (backend) => {
  const { outcome, isAsked } = await run("sums", { x: { dtype: "float32", shape: [2], data: [1, 2] } }, backend);
  expect(outcome).toMatchObject({ value: { backend, outputs: { sum: { data: [11, 22] } } } });
  expect(isAsked).toBe(false);
});

test("a script of theirs that can't be loaded is a typed error, and the next opening loads it", async () => {
  harness.files.faults.set(kernels, () => ({ status: 503 }));
  const { outcome } = await run("permutation", places, "cpu");
  expect(outcome).toMatchObject({
    error: {
      code: "unavailable",
      message: expect.stringContaining("the kernel of InvertPermutation cannot be loaded"),
    },
  });
  harness.files.faults.clear();
  expect((await run("permutation", places, "cpu")).outcome).toMatchObject({ value: { backend: "cpu" } });
});

test.each(backends)("Vite's development server brings the worker of %s no client of its own", async (backend) => {
  const bundle = fileURLToPath(new URL("../packages/sdk/bundle/", import.meta.url));
  const server = { middlewareMode: true, fs: { allow: [bundle] } };
  const vite = await createServer({ root: bundle, configFile: false, logLevel: "error", server });
  try {
    const sent = await vite.transformRequest(`/${backend}.js`);
    expect(sent?.code).toMatch(/import\(`\$\{\w+\}`\)/); // of the kernels, as it stands
    expect(sent?.code).not.toContain("/@vite/client");
  } finally {
    await vite.close();
  }
});
