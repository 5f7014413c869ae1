import { describe, expect, test } from "vitest";
import { concat, encodeFixed32, encodeProto, varint } from "../../testing/encode-proto.ts";
import { createDecoder } from "./protobuf.ts";

const decode = createDecoder({
  Tree: {
    name: [1, "string"],
    size: [2, "int53"],
    children: [3, "Tree", "repeated"],
    numbers: [4, "int64", "repeated"],
    byName: [5, "Tree", "map"],
    choice: [6, "bool", "optional"],
    crc: [7, "fixed32"],
    ratio: [8, "float"],
    bytes: [9, "bytes"],
    small: [10, "int32"],
    later: [11, "Tree", "lazy"],
  },
  Name: { name: [1, "string"] },
} as const);

const read = (bytes: Uint8Array) => decode("Tree", bytes, "tree.pb");

describe("createDecoder", () => {
  test("gives absent fields their defaults", () => {
    expect(read(new Uint8Array(0))).toMatchObject({ name: "", size: 0, children: [], choice: undefined, crc: 0 });
  });

  test("reads scalars, nested messages and maps", () => {
    const leaf = encodeProto([1, "leaf"]);
    const entry = encodeProto([1, "left"], [2, leaf]);
    const tree = read(
      concat(
        encodeProto([1, "root"], [2, 300], [3, leaf], [5, entry], [8, { float: 0.5 }]),
        encodeFixed32(7, 0xfedcba98),
      ),
    );
    expect(tree).toMatchObject({ name: "root", size: 300, ratio: 0.5, crc: 0xfedcba98 });
    expect(tree.children[0]?.name).toBe("leaf");
    expect(tree.byName.get("left")?.name).toBe("leaf");
  });

  test("reads negative numbers from ten bytes", () => {
    const tree = read(encodeProto([2, -1], [4, -(2n ** 63n)], [10, -5]));
    expect(tree).toMatchObject({ size: -1, numbers: [-(2n ** 63n)], small: -5 });
  });

  test("reads lists of numbers packed and unpacked", () => {
    const packed = encodeProto([4, concat(varint(1), varint(200))]);
    const unpacked = encodeProto([4, 3], [4, 4]);
    expect(read(concat(packed, unpacked)).numbers).toEqual([1n, 200n, 3n, 4n]);
  });

  test("tells a member of a oneof that is there from one that isn't", () => {
    expect(read(encodeProto([6, 0])).choice).toBe(false);
  });

  test("refuses a field of number 0, as which zeros would be read", () => {
    expect(() => read(new Uint8Array(4))).toThrow(expect.objectContaining({ code: "data-loss" }));
  });

  test("skips fields that it doesn't know, of every wire type", () => {
    const unknown = concat(
      encodeProto([99, 7], [98, "text"], [97, { float: 1 }]),
      varint(96 * 8 + 1),
      new Uint8Array(8),
    );
    expect(read(concat(unknown, encodeProto([1, "kept"]))).name).toBe("kept");
  });

  test("gives a map entry without a value its defaults", () => {
    expect(read(encodeProto([5, encodeProto([1, "left"])])).byName.get("left")).toMatchObject({
      name: "",
      children: [],
    });
  });

  test("decodes what is lazy when it is asked for, with all of its fields or fewer", () => {
    const broken = concat(encodeProto([1, "leaf"]), Uint8Array.of(2 * 8 + 2, 99));
    const [first, second] = read(encodeProto([11, encodeProto([1, "leaf"], [2, 7])], [11, broken])).later;
    expect(first?.("Tree")).toMatchObject({ name: "leaf", size: 7 });
    expect(first?.("Name")).toEqual({ name: "leaf" });
    expect(() => second?.("Tree")).toThrow("tree.pb, byte ");
  });

  test.each([
    [
      "a length beyond the end",
      concat(varint(1 * 8 + 2), varint(40), new Uint8Array(3)),
      "expected 40 more bytes, got 3",
    ],
    ["a number without an end", Uint8Array.of(2 * 8, 0x80), "expected another byte, got the end"],
    ["a group", Uint8Array.of(15 * 8 + 3), "expected wire type 0, 1, 2 or 5, got 3"],
    ["text where a number belongs", encodeProto([2, "text"]), "expected wire type 0 for size, got 2"],
    ["a size beyond a double", encodeProto([2, 2n ** 60n]), "expected a size below 2^53"],
  ])("refuses %s, saying where", (_, bytes, problem) => {
    expect(() => read(bytes)).toThrow(
      expect.objectContaining({ code: "data-loss", message: expect.stringContaining(problem) }),
    );
    expect(() => read(bytes)).toThrow(/^tree\.pb, byte \d+: /);
  });

  test("refuses messages nested without end", () => {
    let tree = encodeProto([1, "leaf"]);
    for (let depth = 0; depth < 200; depth++) tree = encodeProto([3, tree]);
    expect(() => read(tree)).toThrow("messages within each other");
  });
});
