import { describe, expect, test } from "vitest";
import { graph, node } from "../../testing/tiny-graph.ts";
import type { LiteralValue, TableConstants } from "../graph/graph.ts";
import { initialiserToJson, listTables, tableInputsToJson, withTableInputs } from "./tables.ts";

const int64 = (...values: number[]): LiteralValue => ({
  kind: "literal",
  dtype: "DT_INT64",
  shape: [values.length],
  data: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
});
const model = (entries: TableConstants) =>
  graph([{ ...node("unknown", "HashTableV2"), entries }, node("unknown/keys", "Placeholder")], ["unknown"]);

describe("listTables", () => {
  test("makes a table an input that the initialiser fills", () => {
    const before = model({ kind: "constants", keys: int64(1, 2), values: int64(3, 4) });
    const tables = listTables(before);
    expect(withTableInputs(before, tables).nodes.get("unknown")).toMatchObject({
      op: "Placeholder",
      attrs: { dtype: { type: "DT_RESOURCE" } },
    });
    const inputs = tableInputsToJson(tables);
    expect(inputs).toEqual({
      "unknown:0": { name: "unknown:0", dtype: "DT_RESOURCE", tensorShape: {}, resourceId: 0 },
    });
    expect(initialiserToJson(tables, 7)).toMatchObject({
      modelInitializer: {
        node: [
          { name: "unknown", op: "HashTableV2" },
          { name: "unknown/keys_1", op: "Const" },
          { name: "unknown/values", op: "Const" },
          { name: "unknown/import", input: ["unknown", "unknown/keys_1", "unknown/values"] },
        ],
        versions: { producer: 7 },
      },
      initializerSignature: { outputs: { "unknown/import:0": { dtype: "DT_RESOURCE", resourceId: 0 } } },
    });
  });

  test("leaves out keys that no int32 tensor can hold", () => {
    const [table] = listTables(model({ kind: "constants", keys: int64(1, 2 ** 40, -3), values: int64(5, 6, 7) }));
    expect(table?.constants.map(({ value }) => value)).toEqual([int64(1, -3), int64(5, 7)]);
  });

  test("adds nothing to a model without tables", () => {
    expect(initialiserToJson(listTables(graph([], [])), 7)).toEqual({});
  });
});
