import type { Body, TensorRef } from "./graph.ts";

/** Where a tensor really comes from: the first node up its path that does more than hand its input on. */
export function sourceOf({ nodes }: Body, ref: TensorRef): TensorRef {
  let at = ref;
  for (let step = 0; step <= nodes.size; step++) {
    const node = nodes.get(at.node);
    const input = node?.inputs[node.op === "IdentityN" ? at.output : 0];
    if (node === undefined || !passThroughOps.has(node.op) || input === undefined) return at;
    at = input;
  }
  return ref; // a ring of such nodes, which computes nothing
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
