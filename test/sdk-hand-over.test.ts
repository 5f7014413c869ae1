import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { runGolden } from "./digits-pages.ts";
import { type HarnessPage, openHarness } from "./harness-page.ts";
import { type ConvertedModels, convertModels, readExample } from "./models.ts";

const target = { open: "/models/digits/model.json", options: { backend: "wasm" } } as const;

let models: ConvertedModels;
let golden: Parameters<typeof runGolden>[2];
let harness: HarnessPage;
beforeAll(async () => {
  const digits = await readExample("digits");
  golden = digits.golden[0] as typeof golden; // there is more than none
  models = await convertModels([digits]);
});
beforeEach(async () => {
  harness = await openHarness(models.folder, { webgpu: false });
  return () => harness[Symbol.asyncDispose]();
});
afterAll(() => models?.[Symbol.asyncDispose]());

const binaries = () => harness.files.requests.filter((path) => path.endsWith(".wasm"));

test("a page fetches and compiles the WebAssembly of its worker, which then doesn't", async () => {
  await runGolden(harness.page, target, golden);
  expect(binaries()).toHaveLength(1);
});

test("a worker compiles it itself where its page can't", async () => {
  await harness.page.evaluate(() => {
    WebAssembly.compileStreaming = () => Promise.reject(new TypeError("not here")); // of the page alone
  });
  await runGolden(harness.page, target, golden);
  expect(binaries().length).toBeGreaterThan(0);
});

test("a worker tells what is wrong with it where neither can", async () => {
  await harness.page.route("**/*.wasm", (route) => route.abort());
  const inputs = { image: { dtype: "float32", shape: [1, 28, 28, 1], data: new Array(784).fill(0) } } as const;
  const open = [target, inputs] as const;
  const outcome = await harness.page.evaluate(
    ([target, inputs]) => globalThis.harness.openAndRun(target, inputs),
    open,
  );
  expect(outcome).toMatchObject({ error: { code: "no-backend", message: expect.stringContaining("wasm") } });
});
