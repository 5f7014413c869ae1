import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { expectClose } from "@nearside/core/testing";
import { openSession } from "@nearside/server";
import { describe, expect, onTestFinished, test } from "vitest";
import { fixturesRoot } from "./fixtures.ts";
import { listGolden, parseGolden } from "./golden.ts";

const absent = "the fixtures (../shared/fixtures) are not here";

/**
 * TensorFlow Extended's models, which read serialized tf.Examples or sparse tensors. Their golden values are in
 * golden/: TensorFlow 2.21's, on four taxi rides of which one is empty, through the loader of TensorFlow 1. Two ops
 * that it no longer has stood as others there: BoostedTreesBucketize as LowerBound, BucketizeWithInputBoundaries as
 * UpperBound.
 */
const models = [
  "tfx-keras-serving-tft",
  "tfx-taxi-benchmark-trained",
  "tfx-taxi-estimator-serving-2018",
  "tfx-taxi-estimator-serving-2022",
  "tfx-transform-tf1-novars",
] as const;

describe.each(models)("%s gives TensorFlow's results", async (name) => {
  const json = await readFile(new URL(`golden/${name}.json`, import.meta.url), "utf8");
  const { tags } = listGolden(json);
  const cases = parseGolden(json);

  for (const backend of ["cpu", "wasm"] as const) {
    test(`on ${backend}, and names no path of the machine that made it`, async (ctx) => {
      if (fixturesRoot === undefined) return ctx.skip(absent);
      const folder = await mkdtemp(join(tmpdir(), "nearside-"));
      onTestFinished(() => rm(folder, { recursive: true, force: true }));
      expect(cases.length).toBeGreaterThan(0);
      for (const { signature, inputs, outputs } of cases) {
        const target = join(folder, signature);
        const source = readDirectory(join(fixturesRoot, "public", name, "saved_model"));
        await convert(source, writeDirectory(target), { signature, tags });
        const manifest = await readFile(join(target, "model.json"), "utf8");
        const texts = [...manifest.matchAll(/"s":"([^"]*)"/g)].map(([, text = ""]) => atob(text)); // attributes
        expect([manifest, ...texts].filter((text) => /\/(usr|tmp|home)\//.test(text))).toEqual([]);
        await using session = await openSession(target, { backend, warmUp: false });
        expectClose(await session.run(inputs), outputs);
      }
    });
  }
});
