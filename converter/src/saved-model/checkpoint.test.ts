import { describe, expect, test } from "vitest";
import { concat, encodeFixed32, encodeProto, varint } from "../../testing/encode-proto.ts";
import { encodeTable, uint32 } from "../../testing/encode-table.ts";
import { memorySource } from "../../testing/memory-files.ts";
import type { StoredValue } from "../graph/graph.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { crc32c, maskCrc } from "./crc32c.ts";

const header = encodeProto([1, 1]);
const dataPath = "variables.data-00000-of-00001";

function shape(...sizes: readonly number[]): Uint8Array {
  return encodeProto(...sizes.map((size) => [2, encodeProto([1, size])] as const));
}

function entry(dtype: number, sizes: readonly number[], offset: number, bytes: Uint8Array, crc = crc32c(bytes)) {
  const fields = encodeProto([1, dtype], [2, shape(...sizes)], [4, offset], [5, bytes.length]);
  return concat(fields, encodeFixed32(6, maskCrc(crc)));
}

const floats = (...values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);

async function read(checkpoint: Checkpoint, value: StoredValue | undefined): Promise<number[]> {
  if (value === undefined) throw new Error("no such key");
  const chunks: number[] = [];
  for await (const chunk of checkpoint.read(value)) chunks.push(...chunk);
  return [...new Float32Array(Uint8Array.from(chunks).buffer)];
}

/** `w` of shape [2, 3], stored in two parts: its columns 0 and 1, and its column 2. */
function partitioned(): Promise<Checkpoint> {
  const left = floats(1, 2, 4, 5);
  const right = floats(3, 6);
  const extent = (start: number, length: number) => encodeProto([1, start], [2, length]);
  const rows = encodeProto(); // neither start nor length: the whole dimension
  const slices = [encodeProto([1, rows], [1, extent(0, 2)]), encodeProto([1, rows], [1, extent(2, 1)])];
  const whole = encodeProto([1, 1], [2, shape(2, 3)], ...slices.map((slice) => [7, slice] as const));
  const key = (start: number, length: number) =>
    Uint8Array.of(0, 0x77, 0, 1, 1, 2, 0x80, 0x7f, 0x80 + start, 0x80 + length);
  const table = encodeTable([
    [
      ["", header],
      [key(0, 2), entry(1, [2, 2], 0, left)],
      [key(2, 1), entry(1, [2, 1], left.length, right)],
      ["w", whole],
    ],
  ]);
  return openCheckpoint(memorySource({ "variables.index": table, [dataPath]: concat(left, right) }), "variables");
}

describe("openCheckpoint", () => {
  test("reads a tensor by its byte range", async () => {
    const bytes = floats(1.5, -2);
    const files = {
      "variables.index": encodeTable([
        [
          ["", header],
          ["b", entry(1, [2], 5, bytes)],
        ],
      ]),
      [dataPath]: concat(new Uint8Array(5), bytes),
    };
    const checkpoint = await openCheckpoint(memorySource(files), "variables");
    const value = checkpoint.value("b", null);
    expect(value).toMatchObject({ dtype: "DT_FLOAT", shape: [2] });
    expect(await read(checkpoint, value)).toEqual([1.5, -2]);
  });

  test("has no keys where there is no checkpoint", async () => {
    expect((await openCheckpoint(memorySource({}), "variables")).value("b", null)).toBeUndefined();
  });

  test("refuses bytes that don't match their checksum", async () => {
    const bytes = floats(1);
    const table = encodeTable([
      [
        ["", header],
        ["b", entry(1, [1], 0, bytes, 7)],
      ],
    ]);
    const source = memorySource({ "variables.index": table, [dataPath]: bytes });
    const checkpoint = await openCheckpoint(source, "variables");
    await expect(read(checkpoint, checkpoint.value("b", null))).rejects.toThrow(/data-00000.*"b": expected checksum/);
  });

  test.each([
    ["a data shard that is missing", {}, "missing"],
    ["a data shard that is cut short", { [dataPath]: floats() }, "a file of 0"],
  ])("check refuses %s", async (_, files, problem) => {
    const table = encodeTable([
      [
        ["", header],
        ["b", entry(1, [1], 0, floats(1))],
      ],
    ]);
    const checkpoint = await openCheckpoint(memorySource({ "variables.index": table, ...files }), "variables");
    const value = checkpoint.value("b", null);
    await expect(value && checkpoint.check(value)).rejects.toMatchObject({
      code: "data-loss",
      message: expect.stringContaining(problem),
    });
  });

  test("check refuses a shape that its bytes don't fill", async () => {
    const table = encodeTable([
      [
        ["", header],
        ["b", entry(1, [2 ** 40, 2 ** 40], 0, floats(1))],
      ],
    ]);
    const checkpoint = await openCheckpoint(
      memorySource({ "variables.index": table, [dataPath]: floats(1) }),
      "variables",
    );
    const value = checkpoint.value("b", null);
    await expect(value && checkpoint.check(value)).rejects.toMatchObject({ code: "data-loss" });
  });

  test("pastes a partitioned tensor together", async () => {
    const checkpoint = await partitioned();
    expect(await read(checkpoint, checkpoint.value("w", null))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("reads one part of a partitioned tensor", async () => {
    const checkpoint = await partitioned();
    expect(await read(checkpoint, checkpoint.value("w", { starts: [0, 2], lengths: [2, 1] }))).toEqual([3, 6]);
  });

  test("cuts a slice out of several parts", async () => {
    const checkpoint = await partitioned();
    expect(await read(checkpoint, checkpoint.value("w", { starts: [1, 1], lengths: [1, 2] }))).toEqual([5, 6]);
  });

  test("reads strings and checks both of their checksums", async () => {
    const lengths = crc32c(uint32(0), crc32c(uint32(2)));
    const crc = crc32c(new TextEncoder().encode("hi"), crc32c(uint32(maskCrc(lengths)), lengths));
    const bytes = concat(varint(2), varint(0), uint32(maskCrc(lengths)), new TextEncoder().encode("hi"));
    const table = encodeTable([
      [
        ["", header],
        ["s", entry(7, [2], 0, bytes, crc)],
      ],
    ]);
    const checkpoint = await openCheckpoint(memorySource({ "variables.index": table, [dataPath]: bytes }), "variables");
    const value = checkpoint.value("s", null);
    const strings = value === undefined ? [] : await checkpoint.readStrings(value);
    expect(strings.map((string) => new TextDecoder().decode(string))).toEqual(["hi", ""]);
  });
});
