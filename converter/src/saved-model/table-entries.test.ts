import { describe, expect, test } from "vitest";
import { memorySource } from "../../testing/memory-files.ts";
import { body, call, graph, int32, node, scalar } from "../../testing/tiny-graph.ts";
import type { Graph, TableFile } from "../graph/graph.ts";
import { readVocabularies } from "./read-vocabularies.ts";
import { bindTables, tableEntries } from "./table-entries.ts";

const table = node("table", "HashTableV2");
const fromFile = node("fill", "InitializeTableFromTextFileV2", ["table", "path"], {
  attrs: { key_index: { i: -2n }, value_index: { i: -1n }, vocab_size: { i: -1n } },
});

describe("tableEntries", () => {
  test("finds the constants that a table is filled with", () => {
    const nodes = [
      table,
      node("keys", "Const", [], { value: int32(1) }),
      node("values", "Const", [], { value: scalar(2) }),
      node("fill", "LookupTableImportV2", ["table", "keys", "values"]),
      node("init", "NoOp", ["^fill"]),
    ];
    expect(tableEntries(graph(nodes, []), ["init", "missing"], new Map())).toEqual(
      new Map([["table", { kind: "constants", keys: int32(1), values: scalar(2) }]]),
    );
  });

  test("finds a table's file, through the variable that holds its path", () => {
    const nodes = [
      table,
      node("asset", "Placeholder"),
      node("variable", "VarHandleOp"),
      node("assign", "AssignVariableOp", ["variable", "asset"]),
      node("path", "ReadVariableOp", ["variable", "^assign"]),
      fromFile,
      node("init", "NoOp", ["^fill"]),
    ];
    const entries = tableEntries(graph(nodes, []), ["init"], new Map([["asset", "words.txt"]]));
    expect(entries.get("table")).toMatchObject({ kind: "file", path: "assets/words.txt", keyColumn: -2 });
  });

  test("leaves out a table that is filled with something else", () => {
    const nodes = [table, node("path", "ReadFile"), fromFile];
    expect(tableEntries(graph(nodes, []), ["fill"], new Map())).toEqual(new Map());
  });
});

describe("bindTables", () => {
  const shared = { shared_name: { s: new TextEncoder().encode("words") } };
  const entries = { kind: "constants", keys: int32(1), values: scalar(2) } as const;

  test("fills a table that a function makes, by the name that it shares", () => {
    const made = node("made", "HashTableV2", [], { attrs: shared });
    const main = graph([call("create", "creator", [])], [], { creator: body([made], ["made"]) });
    const nodes = bindTables(main, new Map([["words", entries]])).functions.get("creator")?.nodes;
    expect(nodes?.get("made")?.entries).toEqual(entries);
  });

  test("doesn't take a function's nameless table for one of the graph", () => {
    const main = graph([table], [], { creator: body([table], ["table"]) });
    const bound = bindTables(main, new Map([["table", entries]]));
    expect(bound.nodes.get("table")?.entries).toEqual(entries);
    expect(bound.functions.get("creator")?.nodes.get("table")?.entries).toBeUndefined();
  });
});

describe("readVocabularies", () => {
  const file: TableFile = {
    kind: "file",
    path: "assets/words.txt",
    keyColumn: -2,
    valueColumn: -1,
    lines: -1,
    firstLine: 0,
    delimiter: "\t",
  };
  const attrs = { key_dtype: { type: "DT_STRING" }, value_dtype: { type: "DT_INT64" } } as const;
  const model = (entries: Partial<TableFile>): Graph =>
    graph([{ ...node("table", "HashTableV2", [], { attrs }), entries: { ...file, ...entries } }], []);
  const read = async (entries: Partial<TableFile>, text: string) => {
    const source = memorySource({ "assets/words.txt": new TextEncoder().encode(text) });
    const { nodes } = await readVocabularies(model(entries), source);
    const found = nodes.get("table")?.entries;
    if (found?.kind !== "constants" || found.keys.kind !== "literal" || found.values.kind !== "literal") return;
    const { data } = found.values;
    return {
      keys: [...found.keys.data].map((bytes) => new TextDecoder().decode(bytes as Uint8Array)),
      values: data instanceof Uint8Array ? [...new BigInt64Array(data.buffer)] : [],
    };
  };

  test("reads lines and their numbers", async () => {
    expect(await read({ firstLine: 5 }, "one\r\ntwo words\ndrei\n")).toEqual({
      keys: ["one", "two words", "drei"],
      values: [5n, 6n, 7n],
    });
  });

  test("reads columns, up to the number of lines that count", async () => {
    const columns = { keyColumn: 1, valueColumn: 0, delimiter: ",", lines: 2 };
    expect(await read(columns, "7,a\n-8,b\n9,c")).toEqual({ keys: ["a", "b"], values: [7n, -8n] });
  });

  test("keeps every digit of an integer", async () => {
    const columns = { keyColumn: 0, valueColumn: 1 };
    expect(await read(columns, "a\t9007199254740993\nb\t +4611686018427387905 ")).toEqual({
      keys: ["a", "b"],
      values: [2n ** 53n + 1n, 2n ** 62n + 1n],
    });
  });

  test.each([
    ["a missing file", { path: "assets/other.txt" }, "a", "not-found"],
    ["a file outside the model", { path: "assets/../../secret" }, "a", "data-loss"],
    ["an empty line", {}, "a\n\nb", "data-loss"],
    ["a missing column", { valueColumn: 3 }, "a\tb", "data-loss"],
    ["a value that isn't a number", { valueColumn: 0 }, "a\tb", "data-loss"],
  ])("refuses %s", async (_, entries, text, code) => {
    await expect(read(entries, text)).rejects.toMatchObject({ code, message: expect.stringContaining('"table"') });
  });
});
