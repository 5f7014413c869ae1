import { describe, expect, test } from "vitest";
import { graph, node } from "../../testing/tiny-graph.ts";
import { decode, type Proto } from "./messages.ts";
import { portsFromProto } from "./signature-ports.ts";

const main = graph([node("i", "Placeholder"), node("v", "Placeholder"), node("s", "Placeholder")], []);
const empty = decode("TensorInfo", new Uint8Array(0), "an empty message");
const shape = (...sizes: number[]) => ({ dim: sizes.map((size) => ({ size })), unknownRank: false });

const sparse: Proto<"TensorInfo"> = {
  ...empty,
  dtype: 7,
  tensorShape: shape(-1, 9),
  cooSparse: { values: "v:0", indices: "i:0", denseShape: "s:0" },
};

describe("portsFromProto", () => {
  test("makes three ports of a sparse tensor", () => {
    const int64 = "DT_INT64";
    expect(portsFromProto(new Map([["words", sparse]]), main, "input")).toEqual([
      { key: "words/indices", tensor: { node: "i", output: 0 }, dtype: int64, shape: [null, 2] },
      { key: "words/values", tensor: { node: "v", output: 0 }, dtype: "DT_STRING", shape: [null] },
      { key: "words/dense_shape", tensor: { node: "s", output: 0 }, dtype: int64, shape: [2] },
    ]);
  });

  test("leaves the rank free where the sparse tensor's isn't known", () => {
    const info = { ...sparse, tensorShape: { dim: [], unknownRank: true } };
    const shapes = portsFromProto(new Map([["words", info]]), main, "input").map((port) => port.shape);
    expect(shapes).toEqual([[null, null], [null], [null]]);
  });

  test("knows no rank of a tensor whose shape isn't told, and that of one whose shape is a scalar's", () => {
    const named = { ...empty, name: "v:0", dtype: 1 };
    const infos = new Map([
      ["x", named],
      ["y", { ...named, tensorShape: shape() }],
    ]);
    expect(portsFromProto(infos, main, "input").map((port) => port.shape)).toEqual([null, []]);
  });

  test("makes a port of each component of a ragged tensor, by TensorFlow's names for them", () => {
    const component = (name: string, dtype: number) => ({ ...empty, name, dtype, tensorShape: shape(-1) });
    const components = [component("v:0", 1), component("i:0", 9), component("s:0", 9)];
    const ragged = { ...empty, compositeTensor: { typeSpec: { typeSpecClass: 3 }, components } };
    const ports = portsFromProto(new Map([["rows", ragged]]), main, "input");
    expect(ports.map(({ key }) => key)).toEqual(["rows/flat_values", "rows/row_splits", "rows/row_splits_1"]);
  });

  test.each([
    [
      "another composite tensor",
      new Map([["x", { ...empty, compositeTensor: { typeSpec: { typeSpecClass: 6 }, components: [] } }]]),
    ],
    [
      "a part that has another input's name",
      new Map([
        ["words", sparse],
        ["words/values", { ...empty, name: "v:0", dtype: 7 }],
      ]),
    ],
  ])("refuses %s", (_what, infos) => {
    expect(() => portsFromProto(infos, main, "input")).toThrow(expect.objectContaining({ code: "unsupported" }));
  });
});
