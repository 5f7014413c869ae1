import type { Attrs, Graph, Node, TableEntries, TensorRef } from "../graph/graph.ts";
import { sourceOf } from "../graph/source-of.ts";
import { inlineFunctions } from "../passes/inline-functions.ts";
import { prune } from "../passes/prune.ts";

/**
 * What the model's initialisers fill each lookup table of `main` with, by the table's node. `assets` are the names of
 * the files in the model's `assets` folder by the nodes that stand for their paths. Tables that are filled in another
 * way, with what the model computes, are left out.
 */
export function tableEntries(
  main: Graph,
  initialisers: readonly string[],
  assets: ReadonlyMap<string, string>,
): ReadonlyMap<string, TableEntries> {
  const controls = initialisers.filter((name) => main.nodes.has(name));
  if (controls.length === 0) return new Map();
  const graph = inlineFunctions(prune({ ...main, inputs: [], outputs: [], controls }));
  const entries = new Map<string, TableEntries>();
  for (const node of graph.nodes.values()) {
    const [table] = node.inputs;
    const given = importOps.has(node.op) ? constantEntries(graph, node) : fileEntries(graph, node, assets);
    if (table === undefined || given === undefined) continue;
    entries.set(sourceOf(graph, table).node, given);
  }
  return entries;
}

const importOps: ReadonlySet<string> = new Set([
  "InitializeTable",
  "InitializeTableV2",
  "LookupTableImport",
  "LookupTableImportV2",
]);
const fileOps: ReadonlySet<string> = new Set(["InitializeTableFromTextFile", "InitializeTableFromTextFileV2"]);

function constantEntries(graph: Graph, { inputs }: Node): TableEntries | undefined {
  const [keys, values] = inputs.slice(1).map((input) => graph.nodes.get(sourceOf(graph, input).node)?.value);
  return keys === undefined || values === undefined ? undefined : { kind: "constants", keys, values };
}

function fileEntries(graph: Graph, node: Node, assets: ReadonlyMap<string, string>): TableEntries | undefined {
  const path = node.inputs[1];
  const file = path === undefined || !fileOps.has(node.op) ? undefined : assetOf(graph, path, assets);
  if (file === undefined) return undefined;
  const { delimiter } = node.attrs;
  return {
    kind: "file",
    path: `assets/${file}`,
    keyColumn: integer(node.attrs, "key_index", -2),
    valueColumn: integer(node.attrs, "value_index", -1),
    lines: integer(node.attrs, "vocab_size", -1),
    firstLine: integer(node.attrs, "offset", 0),
    delimiter: delimiter !== undefined && "s" in delimiter ? new TextDecoder().decode(delimiter.s) : "\t",
  };
}

/** The asset whose path a tensor is: it comes from the asset's node, or from a variable that was set to that. */
function assetOf(graph: Graph, ref: TensorRef, assets: ReadonlyMap<string, string>): string | undefined {
  const source = graph.nodes.get(sourceOf(graph, ref).node);
  const [handle] = source?.inputs ?? [];
  if (source?.op !== "ReadVariableOp" || handle === undefined) return assets.get(source?.name ?? "");
  const variable = sourceOf(graph, handle).node;
  for (const { op, inputs } of graph.nodes.values()) {
    const [target, value] = inputs;
    if (op !== "AssignVariableOp" || target === undefined || value === undefined) continue;
    if (sourceOf(graph, target).node === variable) return assets.get(sourceOf(graph, value).node);
  }
  return undefined;
}

function integer(attrs: Attrs, name: string, otherwise: number): number {
  const attr = attrs[name];
  return attr !== undefined && "i" in attr ? Number(attr.i) : otherwise;
}
