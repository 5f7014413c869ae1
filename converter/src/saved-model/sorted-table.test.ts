import { describe, expect, test } from "vitest";
import { concat, varint } from "../../testing/encode-proto.ts";
import { encodeTable } from "../../testing/encode-table.ts";
import { readSortedTable } from "./sorted-table.ts";

const value = (byte: number) => Uint8Array.of(byte);
const blocks = [[["", value(0)] as const, ["kernel", value(1)] as const], [["kernel_2", value(2)] as const]];

function read(bytes: Uint8Array) {
  const text = new TextDecoder();
  return readSortedTable(bytes, "test.index").map(({ key, value }) => [text.decode(key), value[0]]);
}

describe("readSortedTable", () => {
  test("reads the entries of all blocks", () => {
    expect(read(encodeTable(blocks))).toEqual([
      ["", 0],
      ["kernel", 1],
      ["kernel_2", 2],
    ]);
  });

  test("reads compressed blocks", () => {
    const asLiteral = (block: Uint8Array) =>
      concat(varint(block.length), Uint8Array.of((block.length - 1) << 2), block);
    expect(read(encodeTable(blocks, asLiteral))).toEqual(read(encodeTable(blocks)));
  });

  test("refuses a block that doesn't match its checksum", () => {
    const bytes = encodeTable(blocks);
    bytes[3] = (bytes[3] ?? 0) ^ 1;
    expect(() => read(bytes)).toThrow(/^test\.index: expected checksum [0-9a-f]{8} of the block at 0, got/);
  });

  test("refuses a file that is cut short", () => {
    expect(() => read(encodeTable(blocks).subarray(0, -1))).toThrow("footer");
    expect(() => read(new Uint8Array(5))).toThrow("footer");
  });
});
