import { describe, expect, test } from "vitest";
import { constantNode, graph, int32, loop, node } from "../../testing/tiny-graph.ts";
import type { Attrs, Graph, LiteralValue, Node } from "../graph/graph.ts";
import { decimalKeys, listDecimalInputs } from "./decimal-keys.ts";

const integer = { type: "DT_INT64" } as const;
const text = { type: "DT_STRING" } as const;
const keysOf = (...values: bigint[]): LiteralValue => ({
  kind: "literal",
  dtype: "DT_INT64",
  shape: [values.length],
  data: new Uint8Array(BigInt64Array.from(values).buffer),
});

const ids = node("ids", "Placeholder", [], { attrs: { dtype: integer } });
const table = (name: string, ...keys: bigint[]): Node => ({
  ...node(name, "HashTableV2", [], { attrs: { key_dtype: integer, value_dtype: integer } }),
  entries: { kind: "constants", keys: keysOf(...keys), values: keysOf(...keys.map((_, place) => BigInt(place))) },
});
const large = table("large", 2n ** 62n + 1n, -7n);
const small = table("small", 1n, 2n);
const other = node("other", "Const", [], { attrs: { dtype: integer }, value: keysOf(-1n) });
const find = (name: string, from: string, keys: string, otherwise = "other") =>
  node(name, "LookupTableFindV2", [from, keys, otherwise], { attrs: { Tin: integer, Tout: integer } });
const move = (name: string, op: string, inputs: readonly string[]) => node(name, op, inputs, { attrs: { T: integer } });

/** A graph of int64 inputs. */
function model(nodes: readonly Node[], outputs: readonly string[]): Graph {
  const made = graph([other, ...nodes], outputs);
  return { ...made, inputs: made.inputs.map((port) => ({ ...port, dtype: "DT_INT64" })) };
}

describe("decimalKeys", () => {
  test("makes keys beyond int32 texts, and the input that is looked up", () => {
    const after = decimalKeys(model([ids, large, find("found", "large", "ids")], ["found"]));
    const { entries } = after.nodes.get("large") as Node;
    const data = ["4611686018427387905", "-7"].map((digits) => new TextEncoder().encode(digits));
    expect(entries).toMatchObject({ keys: { dtype: "DT_STRING", shape: [2], data }, values: { dtype: "DT_INT64" } });
    expect(attrsOf(after, ["ids", "large", "found", "other"])).toEqual([
      { dtype: text },
      { key_dtype: text, value_dtype: integer },
      { Tin: text, Tout: integer },
      { dtype: integer },
    ]);
    expect(after.inputs).toMatchObject([{ key: "ids", dtype: "DT_INT64" }]);
    expect(listDecimalInputs(after)).toEqual(["ids"]);
  });

  test("follows keys through what only hands them on, and to the other tables that they are looked up in", () => {
    const item = { ...ids, name: "item" };
    const axis = constantNode("axis", int32(0));
    const moves = [
      move("column", "Reshape", ["ids", "axis"]),
      move("both", "ConcatV2", ["column", "item", "axis"]),
      move("stacked", "Pack", ["item", "item"]),
      move("shape", "Shape", ["both"]),
      node("size", "LookupTableSizeV2", ["small"]),
    ];
    const finds = [find("a", "large", "both"), find("b", "small", "stacked")];
    const before = model([ids, item, axis, large, small, ...moves, ...finds], ["a", "b", "shape", "size"]);
    const after = decimalKeys(before);
    expect(listDecimalInputs(after)).toEqual(["ids", "item"]);
    expect(attrsOf(after, ["column", "both", "stacked", "shape"])).toEqual(Array(4).fill({ T: text }));
    expect(after.nodes.get("small")?.entries).toMatchObject({ keys: { dtype: "DT_STRING" } });
    expect(after.nodes.get("axis")).toEqual(axis);
  });

  const untouched: Readonly<Record<string, Graph>> = {
    "a table whose keys all fit": model([ids, small, find("found", "small", "ids")], ["found"]),
    "keys that are computed": model(
      [ids, large, move("sum", "AddV2", ["ids", "other"]), find("found", "large", "sum")],
      ["found"],
    ),
    "an input that is used for arithmetic, too": model(
      [ids, large, move("sum", "AddV2", ["ids", "other"]), find("found", "large", "ids")],
      ["found", "sum"],
    ),
    "an input that is the default of a lookup, too": model(
      [ids, large, find("found", "large", "ids", "ids")],
      ["found"],
    ),
    "an input that is returned": model([ids, large, find("found", "large", "ids")], ["found", "ids"]),
    "another table whose keys are computed": model(
      [ids, large, small, find("a", "large", "ids"), find("b", "small", "ids"), find("c", "small", "b")],
      ["a", "c"],
    ),
    "a table that a loop uses": model(
      [ids, large, find("a", "large", "ids"), loop("loop", ["large", "a"], { cond: "c", body: "b" })],
      ["loop:1"],
    ),
  };
  test.each(Object.entries(untouched))("leaves %s as it is", (_what, before) => {
    expect(decimalKeys(before)).toEqual(before);
    expect(listDecimalInputs(before)).toEqual([]);
  });
});

function attrsOf({ nodes }: Graph, names: readonly string[]): readonly (Attrs | undefined)[] {
  return names.map((name) => nodes.get(name)?.attrs);
}
