import type { Attrs, Body, Graph, Node, TableEntries, TensorRef } from "../graph/graph.ts";
import { sourceOf } from "../graph/source-of.ts";
import { inlineFunctions } from "../passes/inline-functions.ts";
import { prune } from "../passes/prune.ts";

/**
 * What the model's initialisers fill each lookup table of `main` with, by the name that TensorFlow finds it by.
 * `assets` are the names of the files in the model's `assets` folder by the nodes that stand for their paths. Tables
 * that are filled in another way, with what the model computes, are left out.
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
    const source = graph.nodes.get(sourceOf(graph, table).node);
    if (source !== undefined) entries.set(tableName(source), given);
  }
  return entries;
}

/** Gives the lookup tables of a graph and its functions their entries; a function's table has a name of its own. */
export function bindTables(graph: Graph, entries: ReadonlyMap<string, TableEntries>): Graph {
  const bind = (body: Body, isFunction: boolean) => {
    const nodes = [...body.nodes.values()].map((node) => {
      const isNamed = !isFunction || sharedName(node) !== "";
      const given = tableOps.has(node.op) && isNamed ? entries.get(tableName(node)) : undefined;
      return [node.name, given === undefined ? node : { ...node, entries: given }] as const;
    });
    return new Map(nodes);
  };
  const functions = [...graph.functions].map(([name, body]) => [name, { ...body, nodes: bind(body, true) }] as const);
  return { ...graph, nodes: bind(graph, false), functions: new Map(functions) };
}

/** True where the graph or a function of it has a lookup table. */
export function hasTables(graph: Graph): boolean {
  return [graph, ...graph.functions.values()].some(({ nodes }) =>
    [...nodes.values()].some(({ op }) => tableOps.has(op)),
  );
}

/** Nodes with one shared name are one table; without one it is the node's own name. */
function tableName(node: Node): string {
  return sharedName(node) || node.name;
}

function sharedName({ attrs }: Node): string {
  const { shared_name: name } = attrs;
  return name !== undefined && "s" in name ? new TextDecoder().decode(name.s) : "";
}

const tableOps: ReadonlySet<string> = new Set(["HashTable", "HashTableV2"]);
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
