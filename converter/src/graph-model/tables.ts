import { constant } from "../graph/constant.ts";
import { freeName } from "../graph/free-name.ts";
import type { Graph, LiteralValue, Node, Port, TableConstants } from "../graph/graph.ts";
import { placeholder } from "../saved-model/graph-def.ts";
import { int64Keys, isLarge } from "./decimal-keys.ts";
import { type Json, nodeToJson, tensorInfoToJson } from "./graph-def-json.ts";

/** A lookup table: the nodes that make and fill it when a model is loaded, and the input that it then is. */
export interface Table {
  /** What TensorFlow.js knows the table by, in the initialiser's outputs and the graph's inputs alike. */
  readonly resourceId: number;
  readonly handle: Port;
  readonly constants: readonly Node[];
  readonly table: Node;
  readonly fill: Node;
}

/** The lookup tables of a graph. */
export function listTables(graph: Graph): readonly Table[] {
  return [...graph.nodes.values()].flatMap((node, place) => {
    const { name, entries } = node;
    if (entries?.kind !== "constants") return [];
    const free = (wanted: string) => freeName(wanted, (taken) => graph.nodes.has(taken));
    const { keys, values } = reachable(node, entries);
    const constants = [constant(free(`${name}/keys`), keys), constant(free(`${name}/values`), values)];
    const inputs = [name, ...constants.map((each) => each.name)].map((from) => ({ node: from, output: 0 }));
    const Tin = node.attrs.key_dtype ?? { type: "DT_STRING" };
    const Tout = node.attrs.value_dtype ?? { type: "DT_STRING" };
    const fill = {
      name: free(`${name}/import`),
      op: "LookupTableImportV2",
      inputs,
      controls: [],
      attrs: { Tin, Tout },
    };
    const tensor = { node: name, output: 0 };
    const handle: Port = { key: `${name}:0`, tensor, dtype: "DT_RESOURCE", shape: [] };
    return [{ resourceId: place, handle, constants, table: withoutSharedName(node), fill }];
  });
}

/** TensorFlow.js goes by the node's name; the shared one may hold the path of a file where the model was made. */
function withoutSharedName(table: Node): Node {
  const { shared_name: _, ...attrs } = table.attrs;
  return { ...table, attrs };
}

/** A table without the int64 keys beyond int32: TensorFlow.js's integers are int32, so nothing ever looks them up. */
function reachable(table: Node, entries: TableConstants): TableConstants {
  const { keys, values } = entries;
  const numbers = int64Keys(table);
  if (numbers === undefined || keys.kind !== "literal" || values.kind !== "literal") return entries;
  const places = [...numbers.keys()].filter((place) => !isLarge(numbers[place] ?? 0n));
  return places.length === numbers.length
    ? entries
    : { ...entries, keys: pick(keys, places), values: pick(values, places) };
}

/** The elements of a vector at these places. */
function pick(value: LiteralValue, places: readonly number[]): LiteralValue {
  const { data, shape } = value;
  if (!(data instanceof Uint8Array))
    return { ...value, shape: [places.length], data: places.flatMap((at) => data[at] ?? []) };
  const size = data.length / (shape[0] ?? 1);
  const bytes = new Uint8Array(places.length * size);
  for (const [to, from] of places.entries()) bytes.set(data.subarray(from * size, (from + 1) * size), to * size);
  return { ...value, shape: [places.length], data: bytes };
}

/** The graph as it runs: tables are inputs, which TensorFlow.js itself feeds with what the initialiser made. */
export function withTableInputs(graph: Graph, tables: readonly Table[]): Graph {
  const nodes = new Map(graph.nodes);
  for (const { handle } of tables) nodes.set(handle.tensor.node, placeholder(handle));
  return { ...graph, nodes };
}

/** The tables' inputs as entries of the signature. */
export function tableInputsToJson(tables: readonly Table[]): Readonly<Record<string, Json>> {
  return Object.fromEntries(tables.map(({ handle, resourceId }) => [handle.key, resourceToJson(handle, resourceId)]));
}

/** `modelInitializer` and `initializerSignature` of `model.json`; nothing for a model without tables. */
export function initialiserToJson(tables: readonly Table[], producer: number): Readonly<Record<string, Json>> {
  if (tables.length === 0) return {};
  const nodes = tables.flatMap(({ constants, table, fill }) => [table, ...constants, fill]);
  const outputs = tables.map(({ fill, handle, resourceId }) => {
    const tensor = { node: fill.name, output: 0 }; // TensorFlow.js returns the table's handle once it is filled
    return [`${fill.name}:0`, resourceToJson({ ...handle, tensor }, resourceId)] as const;
  });
  return {
    modelInitializer: { node: nodes.map(nodeToJson), versions: { producer } },
    initializerSignature: { outputs: Object.fromEntries(outputs) },
  };
}

function resourceToJson(port: Port, resourceId: number): Json {
  return { ...tensorInfoToJson(port), resourceId };
}
