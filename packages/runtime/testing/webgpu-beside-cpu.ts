import type { Tensor, Tensors } from "@nearside/core";
import { setBackend } from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test as plainTest } from "vitest";
import { openCpuBackend } from "../src/backends/cpu.ts";
import type { LoadedBackend } from "../src/backends/loaded-backend.ts";
import type { RecordingWebgpuBackend } from "../src/backends/recording-webgpu-backend.ts";
import { openWebgpuBackend } from "../src/backends/webgpu.ts";
import { openLocalSession } from "../src/local-session.ts";
import { currentDevice } from "../src/plan/device.ts";
import { graphFiles, type TestGraph } from "./graph-files.ts";
import { noDawn, openDawn } from "./open-dawn.ts";

let gpu: GPU | undefined;
let backend: LoadedBackend | undefined;
let commands = 0;
beforeAll(async () => {
  gpu = await openDawn();
  if (gpu) backend = await openWebgpuBackend({ gpu });
  if (backend) (currentDevice().backend as RecordingWebgpuBackend).tileChoices = {}; // as on a GPU, unmeasured
  const prototype = globalThis.GPUComputePassEncoder?.prototype;
  const dispatch = prototype?.dispatchWorkgroups;
  if (!prototype || !dispatch) return;
  prototype.dispatchWorkgroups = function (...sizes) {
    commands++;
    return dispatch.apply(this, sizes);
  };
});
afterAll(() => backend?.close());

/** A test that is skipped where there is no device. */
export const test = (name: string, body: () => Promise<void>) =>
  plainTest(name, async ({ skip }) => (gpu ? body() : skip(noDawn)));

export const T = { T: { type: "DT_FLOAT" } };

/** Numbers that are all over the place, and the same each time. */
export function numbers(shape: readonly number[], from = -3, to = 3): Tensor<"float32"> {
  const count = shape.reduce((product, size) => product * size, 1);
  const data = Float32Array.from({ length: count }, (_, at) => from + ((Math.sin(at * 12.9898) + 1) / 2) * (to - from));
  return { dtype: "float32", shape, data };
}

/** Runs a graph on the device without a tape and on the CPU; expects the same, and so many commands on the device. */
export async function expectSame(graph: TestGraph, inputs: Tensors, expectedCommands: number): Promise<void> {
  const cpu = await openCpuBackend();
  const want = await runOn(cpu, graph, inputs);
  await cpu.close();
  await setBackend("webgpu");
  commands = 0;
  const got = await runOnDevice(graph, inputs);
  expect(commands).toBe(expectedCommands);
  for (const [name, { shape, data }] of Object.entries(want)) {
    expect(got[name]?.shape).toEqual(shape);
    for (const [at, value] of (data as Float32Array).entries()) {
      expect(Math.abs(((got[name]?.data[at] as number) ?? Number.NaN) - value), `${name}[${at}]`).toBeLessThan(
        1e-5 + 1e-5 * Math.abs(value),
      );
    }
  }
}

/** Runs a graph on the device without a tape. */
export async function runOnDevice(graph: TestGraph, inputs: Tensors): Promise<Tensors> {
  const { ahead, ...untaped } = backend as LoadedBackend; // there is a device
  expect(ahead).toBeDefined();
  return await runOn(untaped, graph, inputs);
}

async function runOn(on: LoadedBackend, graph: TestGraph, inputs: Tensors): Promise<Tensors> {
  await using session = await openLocalSession("graph", graphFiles(graph), on, { warmUp: false });
  return await session.run(inputs);
}
