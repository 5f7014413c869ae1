import type { Body, TensorRef } from "./graph.ts";
import { pathEnds } from "./path-ends.ts";

/** Where a tensor really comes from: the first node up its path that does more than hand its input on. */
export function sourceOf(body: Body, ref: TensorRef): TensorRef {
  let at = ref;
  for (let step = 0; step <= body.nodes.size; step++) {
    const input = handedOn(body, at);
    if (input === undefined) return at;
    at = input;
  }
  return ref; // a ring of such nodes, which computes nothing
}

/** The same for many tensors of a body, whose paths may have much in common. */
export function sourcesIn(body: Body): (ref: TensorRef) => TensorRef {
  let handing: Body["nodes"] | undefined; // few, and so found fast
  const handingNodes = () => (handing ??= new Map([...body.nodes].filter(([, { op }]) => passThroughOps.has(op))));
  const endOf = pathEnds((ref) => handedOn({ nodes: handingNodes() }, ref));
  return (ref) => endOf(ref) ?? ref;
}

/** The tensor that this one is just another name for, or undefined. */
export function handedOn({ nodes }: Pick<Body, "nodes">, { node: name, output }: TensorRef): TensorRef | undefined {
  const node = nodes.get(name);
  if (node === undefined || !passThroughOps.has(node.op)) return undefined;
  return node.inputs[node.op === "IdentityN" ? output : 0];
}

/** Ops whose only output is their first input, or that have an output for each: names for a tensor, hints for training, debugging. */
const passThroughOps: ReadonlySet<string> = new Set([
  "CheckNumerics",
  "CheckNumericsV2",
  "DebugIdentityV2",
  "Identity",
  "IdentityN",
  "PreventGradient",
  "Print",
  "Snapshot",
  "StopGradient",
]);
