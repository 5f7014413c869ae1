import { describe, expect, test } from "vitest";
import { memorySource } from "../../testing/memory-files.ts";
import { graph, node } from "../../testing/tiny-graph.ts";
import type { LiteralValue } from "../graph/graph.ts";
import { openCheckpoint } from "../saved-model/checkpoint.ts";
import type { QuantizeByName } from "./quantize-options.ts";
import { quantizeWeights } from "./quantize-weights.ts";
import { listWeights, readWeight } from "./weights.ts";

function floats(...values: readonly number[]): LiteralValue {
  const data = new Uint8Array(Float32Array.from(values).buffer);
  return { kind: "literal", dtype: "DT_FLOAT", shape: [values.length], data };
}

async function plan(values: Readonly<Record<string, LiteralValue>>, options: QuantizeByName) {
  const nodes = Object.entries(values).map(([name, value]) => node(name, "Const", [], { value }));
  const checkpoint = await openCheckpoint(memorySource({}), "variables");
  const context = { checkpoint, channelAxes: new Map([["depthwise", [-2, -1]]]) };
  const planned = await quantizeWeights(listWeights(graph(nodes, [])), options, context);
  const stored: number[][] = [];
  for (const weight of planned.weights) {
    stored.push([]);
    for await (const chunk of readWeight(weight, checkpoint)) stored.at(-1)?.push(...chunk);
  }
  return { ...planned, stored };
}

describe("quantizeWeights", () => {
  test("changes the float32 weights that are asked for", async () => {
    const ints = { ...floats(1), dtype: "DT_INT32" } as const;
    const { weights, stored } = await plan({ a: floats(0, 1), b: floats(3), ints }, { uint8: ["[ai]*"] });
    expect(weights.map(({ quantization }) => quantization?.dtype)).toEqual(["uint8", undefined, undefined]);
    expect(weights.map(({ sizeBytes }) => sizeBytes)).toEqual([2, 4, 4]);
    expect(stored[0]).toEqual([0, 255]);
  });

  test("stores filters as int8 by channel, and the smallest weights more precisely", async () => {
    const values = Array.from({ length: 4096 }, (_, at) => Math.sin(at));
    const { weights } = await plan(
      {
        dense: { ...floats(...values), shape: [64, 64] },
        depthwise: { ...floats(...values), shape: [4, 4, 128, 2] },
        bias: floats(...values.slice(0, 32)),
        scalar: floats(1e-5),
        tiny: floats(...values.slice(0, 32).map((value) => value * 1e-6)),
        long: floats(...values),
      },
      { int8: true },
    );
    expect(weights.map(({ name, quantization, sizeBytes }) => [name, quantization?.dtype, sizeBytes])).toEqual([
      ["dense", "int8", 4096 + 2 * 64],
      ["depthwise", "int8", 4096 + 2 * 256],
      ["bias", "float16", 64],
      ["scalar", undefined, 4],
      ["tiny", undefined, 128],
      ["long", "float16", 8192],
    ]);
    expect(weights[1]?.quantization).toMatchObject({ axes: [2, 3] });
  });

  test("stores tensors without elements", async () => {
    const { weights, stored } = await plan({ a: floats() }, { uint16: true });
    expect(weights[0]?.quantization).toMatchObject({ min: 0, scale: 1 });
    expect(stored).toEqual([[]]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("refuses %s, naming the weight", async (value) => {
    await expect(plan({ "conv/kernel": floats(1, value, 2) }, { uint8: true })).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining('weight "conv/kernel"'),
    });
  });

  test("tells of values beyond float16 and of patterns that match nothing", async () => {
    const { notices } = await plan({ mask: floats(0, -1e9) }, { float16: ["mask", "dense*"] });
    expect(notices).toEqual([
      expect.stringContaining('"dense*" (float16)'),
      expect.stringContaining('weight "mask": values beyond ±65504 become infinite'),
    ]);
  });
});
