import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { graphFiles, type TestGraph } from "../../testing/graph-files.ts";
import { openDawn } from "../../testing/open-dawn.ts";
import { numbers, T } from "../../testing/webgpu-beside-cpu.ts";
import type { LoadedBackend } from "../backends/loaded-backend.ts";
import type { RecordingWebgpuBackend } from "../backends/recording-webgpu-backend.ts";
import { openWebgpuBackend } from "../backends/webgpu.ts";
import { openLocalSession } from "../local-session.ts";
import { currentDevice } from "../plan/device.ts";
import { measureSample } from "./measure-tiles.ts";
import { softwareChoices, type TileChoices } from "./tile-choice.ts";

const gpu = await openDawn();

describe.skipIf(gpu === undefined)("measured tiles", () => {
  let loaded: LoadedBackend;
  let backend: RecordingWebgpuBackend;
  let opened: TileChoices;
  beforeAll(async () => {
    loaded = await openWebgpuBackend({ gpu });
    backend = currentDevice().backend as RecordingWebgpuBackend;
    opened = backend.tileChoices;
    backend.tileChoices = {}; // as on a GPU while it is measured
  });
  afterAll(() => loaded.close());

  test("are known of a device of software, which all compute without workgroup memory", () => {
    expect(opened).toBe(softwareChoices);
    for (const { tile } of Object.values(opened)) expect(tile).toBe("plain");
  });

  test("are one per class, with its time beside TensorFlow.js's, and leave nothing behind", async () => {
    const tensors = backend.numDataIds();
    const attrs = { transposeA: false, transposeB: false };
    const sample = { kernel: "BatchMatMul", shapes: { a: [1, 9, 8], b: [1, 8, 12] }, attrs } as const;
    const choices = await measureSample(backend, sample, performance.now() + 100);
    expect(Object.keys(choices)).toEqual(["matrix band"]);
    expect(["band", "square", "plain"]).toContain(choices["matrix band"]?.tile);
    expect(choices["matrix band"]?.ratio).toBeGreaterThan(0);
    expect(backend.numDataIds()).toBe(tensors);
  });

  test("are none that the device can't compile, which breaks nothing else", async () => {
    const { runWebGPUProgram } = backend;
    backend.runWebGPUProgram = (program, ...rest) => {
      if (program.shaderKey.includes('"inner":64')) {
        Object.assign(program, { shaderKey: "broken", getUserCode: () => "this is no WGSL" }); // the band's
      }
      return runWebGPUProgram.call(backend, program, ...rest);
    };
    try {
      const attrs = { transposeA: false, transposeB: false };
      const sample = { kernel: "BatchMatMul", shapes: { a: [1, 9, 8], b: [1, 8, 12] }, attrs } as const;
      const choices = await loaded.watch(() => measureSample(backend, sample, performance.now() + 100));
      expect(["square", "plain"]).toContain(choices["matrix band"]?.tile);
    } finally {
      backend.runWebGPUProgram = runWebGPUProgram;
    }
  });

  /** What a product, or a sum with one, is where that was measured, and which shaders of ours compute it. */
  async function runWith(tileChoices: TileChoices, hasSum: boolean) {
    const nodes = [
      { name: "p", op: "MatMul", input: ["x", "w"], attr: T },
      ...(hasSum ? [{ name: "s", op: "AddV2", input: ["p", "z"], attr: T }] : []),
    ];
    const graph: TestGraph = {
      nodes,
      inputs: { x: [9, 8], w: [8, 12], ...(hasSum && { z: [9, 12] }) },
      outputs: { [hasSum ? "s" : "p"]: [9, 12] },
    };
    backend.tileChoices = tileChoices;
    const shaders: string[] = [];
    const { runWebGPUProgram } = backend;
    backend.runWebGPUProgram = (program, ...rest) => {
      shaders.push(program.shaderKey);
      return runWebGPUProgram.call(backend, program, ...rest);
    };
    const { ahead, ...untaped } = loaded;
    expect(ahead).toBeDefined();
    await using session = await openLocalSession("graph", graphFiles(graph), untaped, { warmUp: false });
    const inputs = { x: numbers([9, 8]), w: numbers([8, 12]), ...(hasSum && { z: numbers([9, 12]) }) };
    const [output] = Object.values(await session.run(inputs));
    backend.runWebGPUProgram = runWebGPUProgram;
    return { data: output?.data as Float32Array, ours: shaders.filter((key) => key.startsWith("product_")) };
  }

  test("decide who computes a product, and who a sum with one", async () => {
    const choose = (ratio: number): TileChoices => ({ "matrix band": { tile: "square", ratio } });
    const computedByUs: Record<string, number[]> = { product: [], sum: [] };
    for (const [kind, hasSum] of [
      ["product", false],
      ["sum", true],
    ] as const) {
      let want: Float32Array | undefined;
      for (const choices of [{}, choose(0.5), choose(1), choose(1.5)]) {
        const { data, ours } = await runWith(choices, hasSum);
        want ??= data;
        for (const [at, value] of data.entries()) expect(value).toBeCloseTo(want[at] as number, 4);
        computedByUs[kind]?.push(ours.length);
        if ("matrix band" in choices && ours[0]) expect(ours[0]).toContain('"inner":32'); // the square's
      }
    }
    expect(computedByUs).toEqual({ product: [0, 1, 0, 0], sum: [1, 1, 1, 0] });
  });
});
