import { join } from "node:path";
import { expectClose } from "@nearside/core/testing";
import { openSession } from "@nearside/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { firstCutFixtures, fixturesRoot, readGolden } from "./fixtures.ts";
import type { Target } from "./harness/target.ts";
import { type HarnessPage, openHarness } from "./harness-page.ts";
import { type ConvertedModels, convertModels } from "./models.ts";
import { fromPlainTensors, toPlainTensors } from "./plain-tensors.ts";

const absent = "the fixtures (../shared/fixtures) are not here";

describe("converted models give TensorFlow's results", () => {
  let models: ConvertedModels;
  let harness: HarnessPage;
  beforeAll(async () => {
    if (fixturesRoot === undefined) return;
    const root = fixturesRoot;
    const sources = firstCutFixtures.map((name) => ({ name, savedModel: join(root, name, "saved_model") }));
    models = await convertModels(sources);
    harness = await openHarness(models.folder);
  });
  afterAll(async () => {
    await harness?.[Symbol.asyncDispose]();
    await models?.[Symbol.asyncDispose]();
  });

  for (const name of firstCutFixtures) {
    for (const backend of ["cpu", "wasm"] as const) {
      test(`${name} in Node on ${backend}`, async (ctx) => {
        if (fixturesRoot === undefined) return ctx.skip(absent);
        await using session = await openSession(join(models.folder, name), { backend });
        const cases = await readGolden(join(fixturesRoot, name), "serving_default");
        expect(cases.length).toBeGreaterThan(0);
        for (const { inputs, outputs } of cases) expectClose(await session.run(inputs), outputs);
      });
    }

    for (const backend of ["webgpu", "webgl"] as const) {
      test(`${name} in a browser on ${backend}`, async (ctx) => {
        if (fixturesRoot === undefined) return ctx.skip(absent);
        const target: Target = { open: `/models/${name}/model.json`, options: { backend } };
        const cases = await readGolden(join(fixturesRoot, name), "serving_default");
        expect(cases.length).toBeGreaterThan(0);
        for (const { inputs, outputs } of cases) {
          const outcome = await harness.page.evaluate(
            ([target, inputs]) => globalThis.harness.openAndRun(target, inputs),
            [target, toPlainTensors(inputs)] as const,
          );
          if ("error" in outcome) throw new Error(outcome.error.message);
          expect(outcome.value.backend).toBe(backend);
          expectClose(fromPlainTensors(outcome.value.outputs), outputs);
        }
      });
    }
  }
});
