import { consumersOf } from "../graph/consumers-of.ts";
import type { Attr, Graph, LiteralValue, Node, Pass, TensorRef } from "../graph/graph.ts";

/**
 * Makes the keys of tables with int64 keys beyond int32 texts, their decimal digits: TensorFlow.js's integers are int32.
 * The inputs that are looked up there then take texts, too, which the runtime makes of the integers that it is given.
 * That holds for a table whose keys are all handed on from int64 inputs, and these used for nothing else; another one
 * stays as it is.
 */
export const decimalKeys: Pass = (graph) => {
  const consumers = consumersOf(graph);
  const nodes = new Map(graph.nodes);
  for (const table of graph.nodes.values()) {
    if (!int64Keys(table)?.some(isLarge)) continue;
    for (const node of connected(graph, table, consumers)) nodes.set(node.name, withTexts(node));
  }
  return { ...graph, nodes };
};

/** The inputs that take decimal texts though they are int64 in the signature, by their keys. */
export function listDecimalInputs(graph: Graph): readonly string[] {
  const ports = graph.inputs.filter(({ dtype, tensor }) => {
    const node = graph.nodes.get(tensor.node);
    return dtype === "DT_INT64" && node !== undefined && typeOf(node, "dtype") === "DT_STRING";
  });
  return ports.map(({ key }) => key);
}

/** True for an integer that no int32 tensor can hold. */
export function isLarge(value: bigint): boolean {
  return value !== BigInt.asIntN(32, value);
}

/** The keys of a lookup table, where they are int64. */
export function int64Keys({ entries }: Node): BigInt64Array | undefined {
  if (entries?.kind !== "constants" || entries.keys.kind !== "literal" || entries.keys.dtype !== "DT_INT64") return;
  const { data } = entries.keys;
  return data instanceof Uint8Array ? new BigInt64Array(new Uint8Array(data).buffer) : undefined;
}

/** All that must hold texts once this table's keys are texts; nothing where a part of it can't. */
function connected(graph: Graph, table: Node, consumers: ReadonlyMap<string, readonly Node[]>): ReadonlySet<Node> {
  const found = new Set([table]);
  for (const node of found) {
    const taken = keyInputs(node).map((input) => graph.nodes.get(input.node) as Node); // an input of a node is there
    const takers = endOps.has(node.op) ? [] : (consumers.get(node.name) ?? []);
    const isSource = int64Keys(node) !== undefined || isInt64Input(graph, node);
    const isComputed = taken.some(({ op }) => endOps.has(op)) || (taken.length === 0 && !isSource);
    const isUsedElsewhere = takers.some((taker) => countOf(node, taker.inputs) !== countOf(node, keyInputs(taker)));
    const isReturned = !endOps.has(node.op) && graph.outputs.some(({ tensor }) => tensor.node === node.name);
    if (isComputed || isUsedElsewhere || isReturned) return new Set();
    for (const each of [...taken, ...takers]) found.add(each);
  }
  return found;
}

/** The inputs of a node that are tables or keys. */
function keyInputs({ op, inputs }: Node): readonly TensorRef[] {
  return inputs.slice(0, keyCounts[op] ?? 0);
}

/** How many of an op's inputs are tables or keys; the last ones aren't where it is negative. */
const keyCounts: Readonly<Record<string, number>> = {
  ConcatV2: -1,
  ExpandDims: 1,
  Identity: 1,
  LookupTableFind: 2,
  LookupTableFindV2: 2,
  LookupTableSize: 1,
  LookupTableSizeV2: 1,
  Pack: Number.POSITIVE_INFINITY,
  Reshape: 1,
  Shape: 1,
  Squeeze: 1,
  StridedSlice: 1,
};

/** Of these ops, those that return no keys. */
const endOps: ReadonlySet<string> = new Set([
  "LookupTableFind",
  "LookupTableFindV2",
  "LookupTableSize",
  "LookupTableSizeV2",
  "Shape",
]);

function isInt64Input({ inputs }: Graph, { name }: Node): boolean {
  return inputs.some(({ tensor, dtype, initial }) => {
    return tensor.node === name && dtype === "DT_INT64" && initial === undefined;
  });
}

function countOf({ name }: Node, refs: readonly TensorRef[]): number {
  return refs.filter(({ node }) => node === name).length;
}

/** The same node with texts in place of int64 keys. */
function withTexts(node: Node): Node {
  const text: Attr = { type: "DT_STRING" };
  const changed = keyTypeAttrs.filter((name) => typeOf(node, name) === "DT_INT64").map((name) => [name, text] as const);
  const attrs = { ...node.attrs, ...Object.fromEntries(changed) };
  const keys = int64Keys(node);
  if (keys === undefined || node.entries?.kind !== "constants") return { ...node, attrs };
  return { ...node, attrs, entries: { ...node.entries, keys: texts(keys) } };
}

/** The attributes with the dtype of keys: of an input, a table, a lookup, and what hands keys on. */
const keyTypeAttrs = ["dtype", "key_dtype", "Tin", "T"] as const;

function texts(keys: BigInt64Array): LiteralValue {
  const encoder = new TextEncoder();
  const data = Array.from(keys, (key) => encoder.encode(String(key)));
  return { kind: "literal", dtype: "DT_STRING", shape: [keys.length], data };
}

function typeOf({ attrs }: Node, name: string): string | undefined {
  const attr = attrs[name];
  return attr !== undefined && "type" in attr ? attr.type : undefined;
}
