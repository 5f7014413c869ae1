// The Python converter's tests of how weights are written, read and quantised, restated. Elsewhere:
// - which bytes quantising gives, beside the reference's: ../quantize.test.ts, converter/src/graph-model/quantization.test.ts
// - patterns, their conflicts and what is left over: converter/src/graph-model/quantize-options.test.ts
// - shards cut at weights: converter/src/graph-model/write-shards.test.ts; shards that don't fit: ../repack.test.ts
// Several groups of weights, and lists of weights without a model, are the Python library's own interface: a converted
// model has one group.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type QuantizeOptions, repack } from "@nearside/converter";
import { readDirectory, writeDirectory } from "@nearside/converter/node";
import { parseManifest } from "@nearside/core";
import { openLocalSession } from "@nearside/runtime";
import { openCpuBackend } from "@nearside/runtime/backends/cpu";
import { describe, expect, test } from "vitest";
import { encodeConstant, encodeNode, typeAttr } from "../../converter/testing/encode-graph.ts";
import { memorySink } from "../../converter/testing/memory-files.ts";
import { runInTfjs } from "../run-in-tfjs.ts";
import { convertNodes, temporaryFolder } from "./converted.ts";

type DType = Parameters<typeof encodeConstant>[1];
type Value = readonly [dtype: DType, shape: readonly number[], values: readonly (number | string | boolean)[]];

/** Converts a graph that returns its constants, and gives what stock TensorFlow.js reads of them. */
async function readBack(
  values: Readonly<Record<string, Value>>,
  options: { shardBytes?: number; quantize?: QuantizeOptions } = {},
) {
  const { folder, json } = await convertNodes(...graphOf(values), options);
  return { folder, json, outputs: await runInTfjs(folder, {}) };
}

function graphOf(values: Readonly<Record<string, Value>>) {
  const nodes = Object.entries(values).flatMap(([name, [dtype, shape, elements]]) => [
    encodeConstant(`${name}_weight`, dtype, shape, elements),
    encodeNode(name, "Identity", [`${name}_weight`], [typeAttr("T", dtype)]),
  ]);
  return [nodes, Object.keys(values)] as const;
}

const texts = ["", "hello", "Привет, мир", "你好", "", "\ud83d\ude00 end"];

describe("weights come back as they were", () => {
  test.each<[string, Value]>([
    ["float32", ["float32", [2, 2], [1, -2.5, 1e-30, 3e38]]],
    ["int32", ["int32", [3], [1, -(2 ** 31), 2 ** 31 - 1]]],
    ["bool", ["bool", [3], [true, false, true]]],
    ["strings, empty ones and others", ["string", [2, 3], texts]],
    ["a scalar string", ["string", [], ["Кириллица"]]],
    ["only empty strings", ["string", [3], ["", "", ""]]],
  ])("%s", async (_, value) => {
    const { outputs } = await readBack({ y: value });
    expect(outputs.y?.shape).toEqual(value[1]);
    const expected =
      value[0] === "float32"
        ? Float32Array.from(value[2].map(Number))
        : value[2].map((each) => (typeof each === "boolean" ? Number(each) : each));
    expect([...(outputs.y?.data ?? [])]).toEqual([...expected]);
  });

  test("complex64, in our runtime", async () => {
    const { folder } = await convertNodes(...graphOf({ y: ["complex64", [2], [1, 2, -3, 0.5]] }));
    const manifest = parseManifest(await readFile(join(folder, "model.json"), "utf8"));
    const readShard = async ({ path }: { path: string }) => new Uint8Array(await readFile(join(folder, path))).buffer;
    await using session = await openLocalSession("complex", { manifest, readShard }, await openCpuBackend());
    const { y } = await session.run({});
    expect([y?.shape, [...(y?.data ?? [])]]).toEqual([[2], [1, 2, -3, 0.5]]);
  });

  test("several dtypes packed into one file", async () => {
    const { json, outputs } = await readBack({
      a: ["int32", [1], [7]],
      b: ["bool", [3], [false, true, true]],
      c: ["string", [2], ["x", "ключ"]],
      d: ["float32", [2], [0.5, -1]],
    });
    expect(json.weightsManifest[0]?.paths).toHaveLength(1);
    expect(Object.values(outputs).map(({ data }) => [...data])).toEqual([[7], [0, 1, 1], ["x", "ключ"], [0.5, -1]]);
  });

  test("several dtypes cut over many files, strings among them", async () => {
    const values = Array.from({ length: 40 }, (_, index) => index - 20);
    const words = values.map((value) => `слово ${value}`);
    const { json, outputs } = await readBack(
      { a: ["float32", [40], values], b: ["string", [40], words], c: ["int32", [5, 8], values] },
      { shardBytes: 48 },
    );
    expect(json.weightsManifest[0]?.paths.length).toBeGreaterThan(10);
    expect(Object.values(outputs).map(({ data }) => [...data])).toEqual([values, words, values]);
  });

  test("from a model that is written anew with other shards, twice", async () => {
    const { folder } = await convertNodes(...graphOf({ a: ["string", [6], texts], b: ["float32", [9], [1, 2, 3]] }));
    const [second, third] = [await temporaryFolder(), await temporaryFolder()];
    await repack(readDirectory(folder), writeDirectory(second), { shardBytes: 8 });
    await repack(readDirectory(second), writeDirectory(third));
    const { a, b } = await runInTfjs(third, {});
    expect([[...(a?.data ?? [])], [...(b?.data ?? [])]]).toEqual([texts, [1, 2, 3, 3, 3, 3, 3, 3, 3]]);
  });
});

describe("quantised weights come back within a step", () => {
  const ranges: readonly (readonly [string, readonly number[]])[] = [
    ["all equal", [1.25, 1.25, 1.25]],
    ["negative", [-10, -5.5, -1]],
    ["negative to zero", [-10, -3, 0]],
    ["negative to positive", [-7, 0, 0.1, 19]],
    ["zero to positive", [0, 3, 10]],
    ["positive", [2, 5, 11]],
    ["normalised", [-1, -0.5, 0, 0.25, 1]],
  ];
  for (const [name, values] of ranges) {
    test.each(["uint8", "uint16", "float16"] as const)(`${name}, as %s`, async (dtype) => {
      const { json, outputs } = await readBack(
        { y: ["float32", [values.length], values] },
        { quantize: { [dtype]: true } },
      );
      const quantization = json.weightsManifest[0]?.weights[0]?.quantization;
      expect(quantization).toMatchObject({ dtype, original_dtype: "float32" });
      const tolerance =
        dtype === "float16" ? Math.max(...values.map(Math.abs)) / 1024 : Number(quantization?.scale ?? 0);
      for (const [index, value] of values.entries()) {
        const got = Number(outputs.y?.data[index]);
        expect(Math.abs(got - value)).toBeLessThanOrEqual(tolerance);
        // What has a place of its own comes back exactly: zero, and what all elements are.
        if (value === 0 || name === "all equal") expect(got).toBe(value);
      }
    });

    test(`${name}, of int32 and left alone`, async () => {
      const integers = values.map((value) => Math.round(value) + 0); // no −0
      const { json, outputs } = await readBack(
        { y: ["int32", [values.length], integers] },
        { quantize: { uint8: true } },
      );
      expect(json.weightsManifest[0]?.weights[0]).not.toHaveProperty("quantization");
      expect([...(outputs.y?.data ?? [])].map(Number)).toEqual(integers);
    });
  }

  test("by patterns, the rest by another type", async () => {
    const value: Value = ["float32", [3], [0, 1, 2]];
    const quantize = { uint8: ["*a_*"], uint16: ["b_weight"], float16: true } as const;
    const { json } = await readBack(
      { a: value, b: ["float32", [3], [0, 1, 3]], c: ["float32", [3], [0, 1, 4]] },
      { quantize },
    );
    const stored = json.weightsManifest[0]?.weights.map(({ quantization }) => quantization?.dtype);
    expect(stored).toEqual(["uint8", "uint16", "float16"]);
  });

  test("of which none is asked for with an empty list of types", async () => {
    const { json } = await readBack({ a: ["float32", [2], [1, 2]] }, { quantize: {} });
    expect(json.weightsManifest[0]?.weights[0]).not.toHaveProperty("quantization");
  });

  test("unless the types make no sense: then nothing is written", async () => {
    const sink = memorySink();
    const { folder } = await convertNodes(...graphOf({ a: ["float32", [2], [1, 2]] }));
    for (const quantize of [{ int7: true }, { uint8: true, uint16: true }, { uint8: ["a*"], uint16: ["*_weight"] }]) {
      // An option that TypeScript would refuse, as a program without types may give it.
      const repacked = repack(readDirectory(folder), sink, { quantize: quantize as QuantizeOptions });
      await expect(repacked).rejects.toMatchObject({ code: "invalid-argument" });
      expect(sink.files).toEqual({});
    }
  });
});
