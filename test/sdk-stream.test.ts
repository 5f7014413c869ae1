import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convert } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import type { Tensors } from "@nearside/core";
import { expectClose } from "@nearside/core/testing";
import { openSession } from "@nearside/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fixturesRoot } from "./fixtures.ts";
import { recurrentModel } from "./hand-made-models.ts";
import type { StreamPlan, StreamReport } from "./harness/streams.ts";
import type { Target } from "./harness/target.ts";
import { type HarnessPage, openHarness } from "./harness-page.ts";
import { fromPlainTensors, toPlainTensors } from "./plain-tensors.ts";

const backends = ["webgpu", "wasm"] as const;

let models: string;
let harness: HarnessPage;
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "nearside-"));
  await mkdir(join(models, "recurrent"));
  await writeFile(join(models, "recurrent/model.json"), recurrentModel.json);
  if (fixturesRoot) {
    const dtln = join(fixturesRoot, "public/dtln-stateful/saved_model");
    await convert(readDirectory(dtln), writeDirectory(join(models, "dtln")));
  }
  harness = await openHarness(models);
});
afterAll(async () => {
  await harness?.[Symbol.asyncDispose]();
  await rm(models, { recursive: true, force: true });
});

async function streamSteps(backend: (typeof backends)[number], plan: StreamPlan): Promise<StreamReport> {
  const target: Target = { open: "/models/recurrent/model.json", options: { backend } };
  const outcome = await harness.page.evaluate(([target, plan]) => globalThis.harness.streamSteps(target, plan), [
    target,
    plan,
  ] as const);
  if ("error" in outcome) throw new Error(outcome.error.message);
  return outcome.value;
}

describe.each(backends)("a stream in a worker on %s", (backend) => {
  test("hands its state on there: it crosses the port when it begins and is saved, every 16 runs", async () => {
    const { firstWrong, steps, sent, received, tensors } = await streamSteps(backend, { steps: 60 });
    expect({ firstWrong, steps, sent, received }).toEqual({ firstWrong: -1, steps: 60, sent: 1, received: 3 });
    expect(new Set(tensors).size).toBe(1); // as many tensors on the device after each ten steps
  });

  test("goes on where it was when its worker is ended, again and again", async () => {
    const { firstWrong, steps, events } = await streamSteps(backend, { steps: 60, endWorkerAt: [3, 25, 47] });
    expect({ firstWrong, steps }).toEqual({ firstWrong: -1, steps: 60 });
    expect(events.filter((type) => type === "lost")).toHaveLength(3);
  });

  test("keeps a model's variables when its worker is ended", async (ctx) => {
    if (!fixturesRoot) return ctx.skip("the fixtures (../shared/fixtures) are not here");
    const runs = Array.from({ length: 24 }, (_, step): Tensors => {
      const data = Float32Array.from({ length: 512 }, (_, at) => Math.sin((step * 128 + at) * 0.05) / 4);
      return { input_1: { dtype: "float32", shape: [1, 512], data } };
    });
    const target: Target = { open: "/models/dtln/model.json", options: { backend } };
    const outcome = await harness.page.evaluate(
      ([target, runs]) => globalThis.harness.streamVariables(target, runs, [5, 20]),
      [target, runs.map(toPlainTensors)] as const,
    );
    if ("error" in outcome) throw new Error(outcome.error.message);
    await using session = await openSession(join(models, "dtln"), { backend: "wasm" });
    for (const [step, inputs] of runs.entries()) {
      expectClose(fromPlainTensors(outcome.value[step] ?? {}), await session.run(inputs));
    }
  });
});
