import { InferenceError } from "@nearside/core";
import { expect, test } from "vitest";
import { fakeRepository, fakeSession } from "../../testing/fake-repository.ts";
import type { ModelVersion } from "../repository/served-model.ts";
import { createMetrics } from "./metrics.ts";

const error = new InferenceError("invalid-argument", "not its input");

test("the metrics of warm-ups are those of the versions that are there, and of those that failed", async () => {
  const versions: ModelVersion[] = [];
  const repository = fakeRepository(fakeSession({ inputs: {}, outputs: {} }, (inputs) => inputs));
  const metrics = createMetrics(() => ({ ...repository, versions: () => versions }));
  for (const version of [1n, 2n, 3n, 4n]) {
    versions.push({ version, state: "available", error: null, loaded: null });
    const place = { type: "warm-up", model: "m", version, path: `/m/${version}` } as const;
    metrics.onEvent({ ...place, records: 1, durationMs: 1, error: null });
    metrics.onEvent({ ...place, records: 0, durationMs: 1, error });
  }
  expect(await pathsIn(metrics.render())).toEqual(["/m/1", "/m/2", "/m/3", "/m/4"]);
  versions.shift(); // ended so long ago that nobody knows it any more
  versions[0] = { version: 2n, state: "end", error: null, loaded: null };
  versions[1] = { version: 3n, state: "end", error, loaded: null };
  expect(await pathsIn(metrics.render())).toEqual(["/m/3", "/m/4"]);
});

async function pathsIn(rendered: Promise<string>): Promise<string[]> {
  const found = [...(await rendered).matchAll(/model_path="([^"]+)"/g)];
  return [...new Set(found.map(([, path = ""]) => path))].sort();
}
