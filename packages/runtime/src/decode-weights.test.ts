import { type Manifest, parseManifest } from "@nearside/core";
import { describe, expect, test } from "vitest";
import { decodeWeights } from "./decode-weights.ts";

const weights = [
  { name: "words", dtype: "string", shape: [2] },
  { name: "filter", dtype: "float32", shape: [2, 2], quantization: { dtype: "int8", axes: [1] } },
  { name: "flags", dtype: "bool", shape: [3] },
  { name: "bias", dtype: "float32", shape: [2], quantization: { dtype: "float16" } },
];
// "a" and "", 1 to 4 with the scales 1 and 2, three truths, two halves
const stored = [1, 0, 0, 0, 97, 0, 0, 0, 0, 1, 2, 3, 4, 0x80, 0x3f, 0, 0x40, 1, 0, 1, 0, 0x3c, 0, 0xc0];

function manifestOf(specs: readonly object[]): Manifest {
  const json = {
    format: "graph-model",
    signature: {},
    modelTopology: {},
    weightsManifest: [{ paths: [], weights: specs }],
  };
  return parseManifest(JSON.stringify(json));
}

/** The bytes in shards of this size. */
async function* shardsOf(bytes: readonly number[], size: number): AsyncGenerator<ArrayBuffer> {
  for (let at = 0; at < bytes.length; at += size) yield Uint8Array.from(bytes.slice(at, at + size)).buffer;
}

async function collect(parts: AsyncIterator<ArrayBuffer>): Promise<readonly number[]> {
  const bytes: number[] = [];
  for (let part = await parts.next(); !part.done; part = await parts.next()) bytes.push(...new Uint8Array(part.value));
  return bytes;
}

describe("decodeWeights", () => {
  test.each([1, 5, 100])("decodes int8 weights and passes others through, in shards of %d bytes", async (size) => {
    const { specs, bytes } = decodeWeights(manifestOf(weights), shardsOf(stored, size));
    const floats = new Uint8Array(Float32Array.of(1, 4, 3, 8).buffer);
    expect(await collect(bytes)).toEqual([...stored.slice(0, 9), ...floats, ...stored.slice(17)]);
    expect(specs.map(({ quantization }) => quantization?.dtype)).toEqual([undefined, undefined, undefined, "float16"]);
  });

  test("leaves models without int8 weights alone", () => {
    const shards = shardsOf(stored, 9);
    expect(decodeWeights(manifestOf(weights.slice(2)), shards).bytes).toBe(shards);
  });

  test("tells which weight the shards are too short for", async () => {
    const { bytes } = decodeWeights(manifestOf(weights), shardsOf(stored.slice(0, 20), 7));
    await expect(collect(bytes)).rejects.toMatchObject({
      code: "data-loss",
      message: expect.stringContaining('weight "bias": expected 4 bytes in the shards, got 0'),
    });
  });
});
