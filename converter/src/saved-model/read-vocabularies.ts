import { InferenceError } from "@nearside/core";
import { damaged } from "../damaged.ts";
import type { FileSource } from "../files.ts";
import type { DataType } from "../graph/data-type.ts";
import type { Attr, Graph, LiteralValue, Node, TableEntries, TableFile } from "../graph/graph.ts";

/**
 * Puts the lines of vocabulary files in the place of the files, in the lookup tables of `graph`, so that nothing of the
 * machine that the model was built on is left. Rejects with `not-found` for a missing file, `data-loss` for a line that
 * doesn't hold what the table needs, `unsupported` for a table of values that a text file can't hold.
 */
export async function readVocabularies(graph: Graph, source: FileSource): Promise<Graph> {
  const nodes = new Map<string, Node>();
  for (const node of graph.nodes.values()) {
    const { entries } = node;
    nodes.set(
      node.name,
      entries?.kind === "file" ? { ...node, entries: await readEntries(node, entries, source) } : node,
    );
  }
  return { ...graph, nodes };
}

/** More than any vocabulary; all of it is in memory at once. */
const maxFileBytes = 2 ** 28;

async function readEntries({ name, attrs }: Node, file: TableFile, source: FileSource): Promise<TableEntries> {
  const { path } = file;
  const where = `table "${name}", file ${path}`;
  if (path.split(/[\\/]/).includes("..")) throw damaged(where, "a file below assets/", "one outside");
  const sizeBytes = await source.sizeBytes(path);
  if (sizeBytes === undefined) {
    throw new InferenceError("not-found", `${where}: no such file in the model's folder; copy the whole folder`);
  }
  if (sizeBytes > maxFileBytes) throw damaged(where, `at most ${maxFileBytes} bytes`, String(sizeBytes));
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(await source.read(path, 0, sizeBytes));
  const lines = text.replaceAll("\r", "").split("\n");
  if (lines.at(-1) === "") lines.pop();
  const used = file.lines < 0 ? lines : lines.slice(0, file.lines);
  const empty = used.indexOf("");
  if (empty >= 0) throw damaged(`${where}, line ${empty + 1}`, "an entry", "an empty line");
  const cells = (column: number) => used.map((line, index) => cell(line, index, column, file, where));
  return {
    kind: "constants",
    keys: literal(cells(file.keyColumn), typeOf(attrs.key_dtype), where),
    values: literal(cells(file.valueColumn), typeOf(attrs.value_dtype), where),
  };
}

/** A column of a line; −1 stands for the line's number, −2 for all of it. */
function cell(line: string, index: number, column: number, file: TableFile, where: string): string {
  if (column === -2) return line;
  if (column === -1) return String(index + file.firstLine);
  const text = line.split(file.delimiter)[column];
  if (text === undefined) throw damaged(`${where}, line ${index + 1}`, `a column ${column}`, JSON.stringify(line));
  return text;
}

function typeOf(attr: Attr | undefined): DataType {
  return attr !== undefined && "type" in attr ? attr.type : "DT_INVALID";
}

function literal(cells: readonly string[], dtype: DataType, where: string): LiteralValue {
  const make = arrays[dtype];
  const shape = [cells.length];
  if (dtype === "DT_STRING") {
    const encoder = new TextEncoder();
    return { kind: "literal", dtype, shape, data: cells.map((text) => encoder.encode(text)) };
  }
  if (make === undefined) {
    throw new InferenceError("unsupported", `${where}: expected numbers or strings, got ${dtype}; use another dtype`);
  }
  const wrong = cells.findIndex((text) => !/^\s*[+-]?(\d|\.\d)/.test(text));
  if (wrong >= 0) throw damaged(`${where}, line ${wrong + 1}`, `a number for ${dtype}`, JSON.stringify(cells[wrong]));
  return { kind: "literal", dtype, shape, data: new Uint8Array(make(cells).buffer) };
}

const arrays: Partial<Record<DataType, (cells: readonly string[]) => { readonly buffer: ArrayBuffer }>> = {
  DT_DOUBLE: (cells) => Float64Array.from(cells, Number),
  DT_FLOAT: (cells) => Float32Array.from(cells, Number),
  DT_INT32: (cells) => Int32Array.from(cells, Number),
  DT_INT64: (cells) => BigInt64Array.from(cells, toInteger),
};

/** All digits of an id count, and a number has only 53 bits of them. */
function toInteger(cell: string): bigint {
  return /^\s*[+-]?\d+\s*$/.test(cell) ? BigInt(cell) : BigInt(Math.trunc(Number(cell)));
}
