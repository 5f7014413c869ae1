import { describe, expect, test } from "vitest";
import { memorySink, memorySource } from "../../testing/memory-files.ts";
import { graph, node } from "../../testing/tiny-graph.ts";
import type { FileSink } from "../files.ts";
import type { LiteralValue } from "../graph/graph.ts";
import { openCheckpoint } from "../saved-model/checkpoint.ts";
import { listWeights } from "./weights.ts";
import { writeShards } from "./write-shards.ts";

/** A value of `sizeBytes` equal bytes. */
function booleans(sizeBytes: number, byte: number): LiteralValue {
  return { kind: "literal", dtype: "DT_BOOL", shape: [sizeBytes], data: new Uint8Array(sizeBytes).fill(byte) };
}

async function write(values: readonly LiteralValue[], shardBytes: number) {
  const sink = memorySink();
  const nodes = values.map((value, index) => node(`c${index}`, "Const", [], { value }));
  const checkpoint = await openCheckpoint(memorySource({}), "variables");
  const shards = await writeShards(listWeights(graph(nodes, [])), checkpoint, sink, { shardBytes });
  return { shards, files: sink.files, sizes: shards.map(({ bytes }) => bytes) };
}

describe("writeShards", () => {
  test("begins a shard with a weight and keeps weights whole", async () => {
    const { sizes } = await write([booleans(4, 0), booleans(5, 1), booleans(3, 0)], 8);
    expect(sizes).toEqual([4, 8]);
  });

  test("cuts a weight that is larger than a shard over shards of its own", async () => {
    const { sizes } = await write([booleans(3, 0), booleans(20, 1), booleans(3, 0)], 8);
    expect(sizes).toEqual([3, 8, 8, 4, 3]);
  });

  test("names shards by the beginning of their SHA-256 and writes equal ones once", async () => {
    const { shards, files } = await write([booleans(16, 1)], 8);
    expect(shards).toHaveLength(2);
    expect(Object.keys(files)).toEqual([`${shards[0]?.sha256.slice(0, 16)}.bin`]);
  });

  test("refuses shards so small that there would be more than a folder is good for, before it writes any", async () => {
    await expect(write([booleans(20_001, 1)], 2)).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining("give shardBytes of at least 3"),
    });
  });

  test("writes strings as lengths and bytes", async () => {
    const data = [new TextEncoder().encode("hé"), new Uint8Array(0)];
    const { files } = await write([{ kind: "literal", dtype: "DT_STRING", shape: [2], data }], 100);
    expect([...(Object.values(files)[0] ?? [])]).toEqual([3, 0, 0, 0, 104, 0xc3, 0xa9, 0, 0, 0, 0]);
  });

  test("rejects with what went wrong for the sink, and writes nothing after that", async () => {
    const written: string[] = [];
    const full: FileSink = {
      ...memorySink(),
      write: async (path) => {
        written.push(path);
        throw new Error("disk full");
      },
    };
    const nodes = [1, 2, 3].map((byte) => node(`c${byte}`, "Const", [], { value: booleans(8, byte) }));
    const checkpoint = await openCheckpoint(memorySource({}), "variables");
    const writing = writeShards(listWeights(graph(nodes, [])), checkpoint, full, { shardBytes: 8 });
    await expect(writing).rejects.toThrow("disk full");
    expect(written).toHaveLength(1);
  });

  test("writes no shard where there are no weights", async () => {
    expect((await write([], 8)).shards).toEqual([]);
    expect((await write([booleans(0, 0)], 8)).shards).toEqual([]);
  });
});
