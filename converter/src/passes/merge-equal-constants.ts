import type { Pass, TensorRef, TensorValue } from "../graph/graph.ts";
import { rewiredNode } from "../graph/rewired.ts";

/** Makes one constant of those that hold the same bytes, or the same place of the checkpoint: the first of them. */
export const mergeEqualConstants: Pass = (graph) => {
  const classOf = equalityClasses();
  const firsts = new Map<number, string>();
  const firstOf = new Map<string, string>();
  for (const { name, op, value } of graph.nodes.values()) {
    if (op !== "Const" || value === undefined) continue;
    const number = classOf(value);
    const first = firsts.get(number);
    if (first === undefined) firsts.set(number, name);
    else firstOf.set(name, first);
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

/** Gives equal values the same number, and others another. A value that many are computed of is looked at once. */
function equalityClasses(): (value: TensorValue) => number {
  const known = new Map<TensorValue, number>();
  const alike = new Map<string, number[]>(); // by an outline
  const examples: TensorValue[] = [];
  const find = (value: TensorValue): number => {
    const outline = outlineOf(value, classOf);
    const candidates = alike.get(outline) ?? [];
    const same = candidates.find((candidate) => isSameLiteral(examples[candidate], value));
    if (same !== undefined) return same;
    const added = examples.push(value) - 1;
    alike.set(outline, [...candidates, added]);
    return added;
  };
  const classOf = (value: TensorValue): number => {
    const number = known.get(value) ?? find(value);
    known.set(value, number);
    return number;
  };
  return classOf;
}

/** A text that equal values share; others don't, but for literals, of which it has the beginning. */
function outlineOf(value: TensorValue, classOf: (value: TensorValue) => number): string {
  const { kind, dtype, shape } = value;
  if (kind === "computed") return JSON.stringify([kind, dtype, shape, value.op, value.operands.map(classOf)]);
  if (kind === "stored") return JSON.stringify([kind, dtype, shape, value.key, value.slice]);
  const beginning = elements(value.data)
    .slice(0, 8)
    .map((bytes) => [...bytes.subarray(0, 64)]);
  return JSON.stringify([kind, dtype, shape, beginning]);
}

/** Whether two values of one outline are the same. */
function isSameLiteral(a: TensorValue | undefined, b: TensorValue): boolean {
  if (a?.kind !== "literal" || b.kind !== "literal") return true; // then the outline says it all
  const [left, right] = [elements(a.data), elements(b.data)];
  return left.length === right.length && left.every((bytes, index) => isSame(bytes, right[index]));
}

function elements(data: Uint8Array | readonly Uint8Array[]): readonly Uint8Array[] {
  return data instanceof Uint8Array ? [data] : data;
}

function isSame(a: Uint8Array, b: Uint8Array | undefined): boolean {
  if (a.length !== b?.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false; // a hundred megabytes, maybe
  return true;
}
