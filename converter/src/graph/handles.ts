import { functionAttrsOf, functionOf, isLoop } from "./control-flow.ts";
import type { Body, Graph, Node, TensorRef } from "./graph.ts";
import { sourceOf } from "./source-of.ts";
import { isWrite } from "./variable-access.ts";

/** Which variable each node that is a handle of one stands for: variables themselves, or the inputs of a function. */
export type Handles = ReadonlyMap<string, string>;

/** How a node uses a variable. `other` is a way that nothing is known about. */
export type Use = "read" | "write" | "other";

/** The variable that a tensor is a handle of, or undefined. */
export function variableOf(body: Body, ref: TensorRef, handles: Handles): string | undefined {
  return handles.get(handleOf(body, ref, handles) ?? "");
}

/** The node that a handle comes from. TensorFlow 1's writes return their variable. */
function handleOf(body: Body, ref: TensorRef, handles: Handles): string | undefined {
  let at = ref;
  for (let step = 0; step <= body.nodes.size; step++) {
    at = sourceOf(body, at);
    if (handles.has(at.node)) return at.node;
    const node = body.nodes.get(at.node);
    const through = node === undefined ? undefined : node.inputs[isLoop(node) ? at.output : 0];
    if (node === undefined || through === undefined || !(isLoop(node) || isReferenceWrite(node))) return undefined;
    at = through;
  }
  return undefined;
}

/** True for a write that returns its variable: TensorFlow 1's, to a reference. */
export function isReferenceWrite(node: Node): boolean {
  return isWrite(node) && !/^Resource|VariableOp$/.test(node.op);
}

/** How a node uses each variable whose handle it takes; handing a handle on is no use. */
export function usesOf(graph: Graph, body: Body, node: Node, handles: Handles): ReadonlyMap<string, Use> {
  const uses = new Map<string, Use>();
  if (sourceOf(body, { node: node.name, output: 0 }).node !== node.name) return uses;
  const attrs = functionAttrsOf(node);
  for (const [place, input] of node.inputs.entries()) {
    const handle = handleOf(body, input, handles);
    const variable = handles.get(handle ?? "");
    if (handle === undefined || variable === undefined) continue;
    const isReference = referenceOps.has(body.nodes.get(handle)?.op ?? "");
    note(uses, variable, attrs.length > 0 ? "read" : useOf(node, place, isReference));
  }
  for (const attr of attrs) {
    const called = graph.functions.get(functionOf(node.attrs[attr]) ?? "");
    if (called === undefined) continue;
    for (const [variable, use] of usesIn(graph, called, handlesIn(body, node, called, handles))) {
      note(uses, variable, use);
    }
  }
  return uses;
}

/** How a body uses each variable: the strongest way in which one of its nodes does. */
export function usesIn(graph: Graph, body: Body, handles: Handles): ReadonlyMap<string, Use> {
  const uses = new Map<string, Use>();
  if (handles.size === 0) return uses;
  for (const node of body.nodes.values()) {
    for (const [variable, use] of usesOf(graph, body, node, handles)) note(uses, variable, use);
  }
  return uses;
}

/** The handles among the inputs of a loop's or branch's function. */
export function handlesIn(body: Body, caller: Node, called: Body, handles: Handles): Handles {
  const first = isLoop(caller) ? 0 : 1;
  const inner = new Map<string, string>();
  for (const [place, input] of caller.inputs.slice(first).entries()) {
    const variable = variableOf(body, input, handles);
    const name = called.inputs[place]?.tensor.node;
    if (variable !== undefined && name !== undefined) inner.set(name, variable);
  }
  return inner;
}

const referenceOps: ReadonlySet<string> = new Set(["Variable", "VariableV2"]);

const reads: ReadonlySet<string> = new Set(["ReadVariableOp", "ResourceGather", "ResourceGatherNd"]);

function useOf(node: Node, place: number, isReference: boolean): Use {
  if (isWrite(node) && place === 0) return "write";
  // A reference variable is itself the tensor, so whatever doesn't write to it reads it.
  if (isReference) return otherWrites.test(node.op) ? "other" : "read";
  return place === 0 && reads.has(node.op) ? "read" : "other";
}

/**
 * What writes to a reference variable in other ways, hands it on, or returns its memory under another shape, where
 * later writes show.
 */
const otherWrites =
  /^(Apply|SparseApply|Scatter|CountUpTo|(Ref)?(Switch|Merge|Enter|Select|NextIteration|Exit)$|IsVariable|Reshape$|Squeeze$|ExpandDims$|Bitcast$)/;

function note(uses: Map<string, Use>, variable: string, use: Use): void {
  const strength = { read: 0, write: 1, other: 2 };
  const known = uses.get(variable);
  if (known === undefined || strength[use] > strength[known]) uses.set(variable, use);
}
