import type { Pass, TensorRef, TensorValue } from "../graph/graph.ts";
import { rewiredNode } from "../graph/rewired.ts";

/** Makes one constant of those that hold the same bytes, or the same place of the checkpoint: the first of them. */
export const mergeEqualConstants: Pass = (graph) => {
  const alike = new Map<string, { name: string; value: TensorValue }[]>();
  const firstOf = new Map<string, string>();
  for (const { name, op, value } of graph.nodes.values()) {
    if (op !== "Const" || value === undefined) continue;
    const key = outline(value);
    const candidates = alike.get(key) ?? [];
    const first = candidates.find((candidate) => isEqual(candidate.value, value));
    if (first !== undefined) firstOf.set(name, first.name);
    else candidates.push({ name, value });
    alike.set(key, candidates);
  }
  if (firstOf.size === 0) return graph;
  const outputs = new Set(graph.outputs.map(({ tensor }) => tensor.node));
  const merge = (ref: TensorRef): TensorRef => {
    const first = firstOf.get(ref.node);
    return first === undefined ? ref : { node: first, output: ref.output };
  };
  const kept = [...graph.nodes].filter(([name]) => !firstOf.has(name) || outputs.has(name));
  return { ...graph, nodes: new Map(kept.map(([name, node]) => [name, rewiredNode(node, merge)])) };
};

/** A text that equal values share, and others seldom. */
function outline(value: TensorValue): string {
  const { dtype, shape } = value;
  if (value.kind === "computed") return JSON.stringify([dtype, shape, value.op, value.operands.map(outline)]);
  if (value.kind === "stored") return JSON.stringify([dtype, shape, value.key, value.slice]);
  const beginning = elements(value.data)
    .slice(0, 8)
    .map((bytes) => [...bytes.subarray(0, 64)]);
  return JSON.stringify([dtype, shape, beginning]);
}

function isEqual(a: TensorValue, b: TensorValue): boolean {
  if (a.kind === "computed" && b.kind === "computed") return isEachEqual(a.operands, b.operands);
  if (a.kind !== "literal" || b.kind !== "literal") return a.kind === b.kind; // then the outline says it all
  const [left, right] = [elements(a.data), elements(b.data)];
  return left.length === right.length && left.every((bytes, index) => isSame(bytes, right[index]));
}

function isEachEqual(a: readonly TensorValue[], b: readonly TensorValue[]): boolean {
  return a.every((value, index) => {
    const other = b[index];
    return other !== undefined && isEqual(value, other);
  });
}

function elements(data: Uint8Array | readonly Uint8Array[]): readonly Uint8Array[] {
  return data instanceof Uint8Array ? [data] : data;
}

function isSame(a: Uint8Array, b: Uint8Array | undefined): boolean {
  if (a.length !== b?.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false; // a hundred megabytes, maybe
  return true;
}
