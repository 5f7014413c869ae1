import { getEventListeners } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parseManifest, type Session, type Tensors } from "@nearside/core";
import { type ModelFiles, openLocalSession } from "@nearside/runtime";
import { openCpuBackend } from "@nearside/runtime/backends/cpu";
import { openWasmBackend } from "@nearside/runtime/backends/wasm";
import { openWebgpuBackend } from "@nearside/runtime/backends/webgpu";
import { openSession } from "@nearside/server";
import { engine } from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { noDawn, openDawn } from "../packages/runtime/testing/open-dawn.ts";
import { fillModel, fillTo, type HandMadeModel, sumsModel } from "./hand-made-models.ts";
import { longModel, longModelGolden } from "./long-model.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

let gpu: GPU | undefined;
let folder: string;
beforeAll(async () => {
  gpu = await openDawn();
  folder = await mkdtemp(join(tmpdir(), "nearside-"));
  await writeFile(join(folder, "model.json"), longModel.json);
  await writeFile(join(folder, "weights.bin"), longModel.weights);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const backends = { cpu: openCpuBackend, wasm: openWasmBackend, webgpu: () => openWebgpuBackend({ gpu }) } as const;
const pair: Tensors = { x: { dtype: "float32", shape: [2], data: Float32Array.of(1, 2) } };
const subjects: readonly (readonly [HandMadeModel, Tensors])[] = [
  [longModel, longModelGolden.inputs],
  [sumsModel, pair],
  [fillModel, fillTo(40, 50)],
];

function filesOf({ json, weights = new Uint8Array() }: HandMadeModel): ModelFiles {
  return { manifest: parseManifest(json), readShard: async () => weights.slice().buffer };
}

async function runTimes(session: Session, inputs: Tensors, count: number, signal?: AbortSignal): Promise<void> {
  for (let run = 0; run < count; run++) await session.run(inputs, { ...(signal && { signal }) });
}

/** What TensorFlow.js counts of its tensors, whatever the backend. */
function countTensors(): readonly number[] {
  const { numTensors, numDataBuffers } = engine().state;
  return [numTensors, numDataBuffers];
}

describe.each(Object.keys(backends) as (keyof typeof backends)[])("on %s", (name) => {
  test("300 runs add no tensor, no byte on the device, and no listener", async (ctx) => {
    if (name === "webgpu" && !gpu) return ctx.skip(noDawn);
    const { signal } = new AbortController();
    for (const [model, inputs] of subjects) {
      await using session = await openLocalSession("test", filesOf(model), await backends[name](), {
        ownsBackend: true,
      });
      await runTimes(session, inputs, 40, signal); // what only opening it needed is given back in these
      const before = [await session.memory(), countTensors()];
      await runTimes(session, inputs, 300, signal);
      expect([await session.memory(), countTensors()]).toEqual(before);
      expect(getEventListeners(signal, "abort")).toEqual([]);
    }
  });

  test("ten sessions, one after the other, leave nothing on the backend they share", async (ctx) => {
    if (name === "webgpu" && !gpu) return ctx.skip(noDawn);
    const backend = await backends[name]();
    const left: unknown[] = [];
    for (let opened = 0; opened < 10; opened++) {
      for (const [model, inputs] of subjects) {
        const session = await openLocalSession("test", filesOf(model), backend);
        await runTimes(session, inputs, 3);
        await session.close();
        left.push([backend.memory(), countTensors()]);
      }
    }
    await backend.close();
    expect(left).toEqual(left.map(() => left[0]));
    expect(left[0]).toMatchObject([{ tensors: 0 }, [0, 0]]);
  });

  test("ten sessions, each with a backend of its own, leave no tensors", async (ctx) => {
    if (name === "webgpu" && !gpu) return ctx.skip(noDawn);
    const before = countTensors();
    for (let opened = 0; opened < 10; opened++) {
      const session = await openSession(folder, { backend: name });
      collectGarbage(); // which must not take what is still needed
      await runTimes(session, longModelGolden.inputs, 1);
      await session.close();
      expect(countTensors()).toEqual(before);
    }
  });
});

test("on webgpu the buffers that only opening it needed are given back while it runs", async (ctx) => {
  if (!gpu) return ctx.skip(noDawn);
  await using session = await openLocalSession("long", filesOf(longModel), await backends.webgpu(), {
    ownsBackend: true,
  });
  const { deviceBytes } = await session.memory();
  await runTimes(session, longModelGolden.inputs, 40);
  expect((await session.memory()).deviceBytes).toBeLessThan(deviceBytes);
});

test("on webgpu the buffers of shapes that no longer come are given back", async (ctx) => {
  if (!gpu) return ctx.skip(noDawn);
  await using session = await openLocalSession("fill", filesOf(fillModel), await backends.webgpu(), {
    ownsBackend: true,
  });
  await runTimes(session, fillTo(40, 50), 40);
  const before = await session.memory();
  for (let size = 100; size < 200; size++) await session.run(fillTo(size, 1000));
  const { deviceBytes } = await session.memory();
  expect(deviceBytes).toBeLessThan(before.deviceBytes + 40 * 4 * 200 * 1000); // not all hundred, with their copies
  await runTimes(session, fillTo(40, 50), 40);
  expect(await session.memory()).toEqual(before);
});
