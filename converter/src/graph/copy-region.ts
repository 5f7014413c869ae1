import type { Body, Node, TensorRef } from "./graph.ts";
import { sourceOf } from "./source-of.ts";

/** Nodes that compute tensors from what a function is given. */
export interface Region {
  readonly nodes: readonly Node[];
  readonly results: readonly TensorRef[];
  /** What the nodes wait for that isn't among them. */
  readonly controls: readonly string[];
}

/**
 * Copies what computes `tensors` up to where `given` has something else in a tensor's place. Undefined where that leads
 * to another loop or branch of TensorFlow 1, or out to something that is neither given nor a constant.
 */
export function copyRegion(
  body: Body,
  tensors: readonly TensorRef[],
  given: (ref: TensorRef) => TensorRef | undefined,
  isWithin: (name: string) => boolean = () => true,
): Region | undefined {
  const nodes = new Map<string, Node>();
  const outside = new Set<string>();
  const pending = tensors.filter((ref) => given(ref) === undefined).map(({ node }) => node);
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const node = body.nodes.get(name);
    if (node === undefined || nodes.has(name)) continue;
    const isEnd = node.inputs.length === 0 && node.op !== "Const" && node.op !== "NoOp";
    if (isEnd || controlOps.test(node.op)) return undefined;
    // A pivot only says in which round or branch a node runs, which its function says as well.
    const waits = node.controls.filter((control) => !isPivot(body, control));
    const controls = waits.filter(isWithin);
    for (const control of waits) if (!isWithin(control)) outside.add(control);
    nodes.set(name, { ...node, controls });
    const inputs = node.inputs.filter((input) => given(input) === undefined).map((input) => input.node);
    pending.push(...inputs, ...controls);
  }
  const tensor = (ref: TensorRef) => given(ref) ?? ref;
  const copies = [...body.nodes.keys()].flatMap((name) => nodes.get(name) ?? []);
  return {
    nodes: copies.map((node) => ({ ...node, inputs: node.inputs.map(tensor) })),
    results: tensors.map(tensor),
    controls: [...outside],
  };
}

const controlOps = /^(Ref)?(Enter|Exit|LoopCond|Merge|NextIteration|Switch)$/;

function isPivot(body: Body, name: string): boolean {
  return controlOps.test(body.nodes.get(sourceOf(body, { node: name, output: 0 }).node)?.op ?? "");
}
