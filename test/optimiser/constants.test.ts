import type { Node } from "../../converter/src/graph/graph.ts";
import { constantNode, integers, node } from "../../converter/testing/tiny-graph.ts";
import { type Case, float, floats, input, testCases } from "./tiny-cases.ts";

const constant = (title: string, made: readonly Node[]): Case => ({
  title,
  nodes: [input([4, 5]), ...made, node("y", "Mul", ["x", "row"], { attrs: { T: float } })],
  ops: ["Mul"],
});
const axis = (at: number) => constantNode("axis", { ...integers(at), shape: [] });
const constants: readonly Case[] = [
  constant("Split", [
    floats("a", [1, 15]),
    axis(1),
    node("parts", "Split", ["axis", "a"], { attrs: { T: float, num_split: { i: 3n } } }),
    node("row", "Sub", ["parts:1", "parts:2"], { attrs: { T: float } }),
  ]),
  constant("SplitV of more than is computed at once", [
    floats("a", [1000, 10]),
    axis(1),
    constantNode("sizes", integers(2, 5, -1)),
    node("parts", "SplitV", ["a", "sizes", "axis"], { attrs: { T: float, num_split: { i: 3n } } }),
    constantNode("begin", integers(996, 0)),
    constantNode("size", integers(4, 5)),
    node("row", "Slice", ["parts:1", "begin", "size"], { attrs: { T: float } }),
  ]),
  constant("Unpack and Pack", [
    floats("a", [5, 4]),
    node("parts", "Unpack", ["a"], { attrs: { T: float, axis: { i: 1n }, num: { i: 4n } } }),
    node("row", "Pack", ["parts:3", "parts", "parts:1", "parts"], {
      attrs: { T: float, axis: { i: 0n }, N: { i: 4n } },
    }),
  ]),
  constant("ConcatV2 of more than is computed at once", [
    floats("a", [4, 2000]),
    floats("b", [4, 5]),
    axis(-1),
    node("long", "ConcatV2", ["a", "b", "axis"], { attrs: { T: float, N: { i: 2n } } }),
    constantNode("begin", integers(0, 2000)),
    constantNode("size", integers(-1, 5)),
    node("row", "Slice", ["long", "begin", "size"], { attrs: { T: float } }),
  ]),
  constant("GatherV2", [
    floats("a", [3, 5]),
    axis(0),
    constantNode("places", integers(2, 0, 0, 1)),
    node("row", "GatherV2", ["a", "places", "axis"], { attrs: { Tparams: float } }),
  ]),
  constant("GatherV2 of every other row", [
    floats("a", [9, 5]),
    axis(0),
    constantNode("places", integers(1, 3, 5, 7)),
    node("row", "GatherV2", ["a", "places", "axis"], { attrs: { Tparams: float } }),
  ]),
  constant("StridedSlice", [
    floats("a", [9, 12]),
    constantNode("begin", integers(-1, 1)),
    constantNode("end", integers(0, 11)),
    constantNode("strides", integers(-2, 2)),
    node("row", "StridedSlice", ["a", "begin", "end", "strides"], { attrs: { T: float } }),
  ]),
  constant("ReverseV2 and Tile", [
    floats("a", [2, 5]),
    constantNode("axes", integers(0, -1)),
    constantNode("times", integers(2, 1)),
    node("reversed", "ReverseV2", ["a", "axes"], { attrs: { T: float } }),
    node("row", "Tile", ["reversed", "times"], { attrs: { T: float } }),
  ]),
];

testCases("constants are computed", constants);
