import { functionAttrsOf, functionOf, isLoop } from "./control-flow.ts";
import type { Body, Graph, Node, TensorRef } from "./graph.ts";
import { maxNesting, nestedTooDeep } from "./nesting.ts";
import { pathEnds } from "./path-ends.ts";
import { handedOn } from "./source-of.ts";
import { isWrite } from "./variable-access.ts";

/** The nodes of a body that are handles of variables: variables themselves, or the inputs of a function. */
export interface Handles {
  readonly body: Body;
  /** Which variable each of them stands for. */
  readonly variables: ReadonlyMap<string, string>;
  /** The one of them that a tensor comes from, or undefined. TensorFlow 1's writes return their variable. */
  handleOf(ref: TensorRef): string | undefined;
}

/** How a node uses a variable. `other` is a way that nothing is known about. */
export type Use = "read" | "write" | "other";

/** How each variable is used. */
export type Uses = ReadonlyMap<string, Use>;

/** The handles of `variables`, by the names of their nodes. */
export function handlesAmong(body: Body, variables: ReadonlyMap<string, string>): Handles {
  const endOf = pathEnds((ref) => {
    if (variables.has(ref.node)) return undefined;
    const node = body.nodes.get(ref.node);
    const isCarried = node !== undefined && (isLoop(node) || isReferenceWrite(node));
    return isCarried ? node.inputs[isLoop(node) ? ref.output : 0] : handedOn(body, ref);
  });
  const handleOf = (ref: TensorRef) => {
    const name = endOf(ref)?.node;
    return name !== undefined && variables.has(name) ? name : undefined;
  };
  return { body, variables, handleOf };
}

/** The variable that a tensor is a handle of, or undefined. */
export function variableOf(ref: TensorRef, { variables, handleOf }: Handles): string | undefined {
  return variables.get(handleOf(ref) ?? "");
}

/** True for a write that returns its variable: TensorFlow 1's, to a reference. */
export function isReferenceWrite(node: Node): boolean {
  return isWrite(node) && !/^Resource|VariableOp$/.test(node.op);
}

/**
 * How a body's nodes use variables through their handles, by the nodes' names; handing a handle on is no use. Throws
 * `unsupported` for functions that call themselves with handles.
 */
export function usesByNode(graph: Graph, handles: Handles): ReadonlyMap<string, Uses> {
  return usesInBody(graph, handles, new Map(), 0);
}

/** How a body uses each variable: the strongest way in which one of its nodes does. */
export function usesIn(graph: Graph, handles: Handles): Uses {
  return strongest(usesByNode(graph, handles));
}

/** Uses within functions, by the function and what it is given; null while they are being looked for. */
type KnownUses = Map<string, Uses | null>;

function usesInBody(graph: Graph, handles: Handles, known: KnownUses, depth: number): ReadonlyMap<string, Uses> {
  if (depth > maxNesting) throw nestedTooDeep();
  const nodes = handles.variables.size === 0 ? [] : [...handles.body.nodes.values()];
  return new Map(nodes.map((node) => [node.name, usesOf(graph, node, handles, known, depth)]));
}

function usesOf(graph: Graph, node: Node, handles: Handles, known: KnownUses, depth: number): Uses {
  if (handedOn(handles.body, { node: node.name, output: 0 }) !== undefined) return none;
  const uses = new Map<string, Use>();
  const attrs = functionAttrsOf(node);
  for (const [place, input] of node.inputs.entries()) {
    const handle = handles.handleOf(input);
    const variable = handles.variables.get(handle ?? "");
    if (handle === undefined || variable === undefined) continue;
    const isReference = referenceOps.has(handles.body.nodes.get(handle)?.op ?? "");
    note(uses, variable, attrs.length > 0 ? "read" : useOf(node, place, isReference));
  }
  for (const attr of attrs) {
    const name = functionOf(node.attrs[attr]) ?? "";
    const called = graph.functions.get(name);
    if (called === undefined) continue;
    const inner = handlesIn(node, called, handles);
    const key = JSON.stringify([name, ...inner.variables]);
    const within = known.get(key);
    if (within === null) throw nestedTooDeep();
    if (within === undefined) known.set(key, null);
    const found = within ?? strongest(usesInBody(graph, inner, known, depth + 1));
    known.set(key, found);
    for (const [variable, use] of found) note(uses, variable, use);
  }
  return uses;
}

const none: Uses = new Map();

function strongest(uses: ReadonlyMap<string, Uses>): Uses {
  const strongest = new Map<string, Use>();
  for (const each of uses.values()) for (const [variable, use] of each) note(strongest, variable, use);
  return strongest;
}

/** The handles among the inputs of a loop's or branch's function. */
export function handlesIn(caller: Node, called: Body, handles: Handles): Handles {
  const first = isLoop(caller) ? 0 : 1;
  const inner = new Map<string, string>();
  for (const [place, input] of caller.inputs.slice(first).entries()) {
    const variable = variableOf(input, handles);
    const name = called.inputs[place]?.tensor.node;
    if (variable !== undefined && name !== undefined) inner.set(name, variable);
  }
  return handlesAmong(called, inner);
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
