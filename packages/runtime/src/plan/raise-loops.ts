import { InferenceError } from "@nearside/core";
import type { GraphBody, GraphNode, OutputRef } from "./graph-def.ts";

/** A node that runs `body` while `cond` holds; its inputs are the variables, its outputs their last values. */
export interface LoopNode extends GraphNode {
  readonly op: "Loop";
  readonly cond: GraphBody;
  readonly body: GraphBody;
}

type Nodes = ReadonlyMap<string, GraphNode>;

/**
 * Turns TensorFlow 1's loops (`Enter`, `Merge`, `Switch`, `NextIteration`, `Exit` within a frame) into nodes that call
 * functions, the innermost first. Throws `unsupported` for a frame that no `tf.while_loop` makes.
 */
export function raiseLoops(nodes: Nodes): Nodes {
  let current = nodes;
  for (;;) {
    const frames = framesOf(current);
    if (frames.size === 0) return current;
    const raised = [...frames]
      .map(([name, enters]) => raiseLoop(name, enters, current))
      .find((each) => each !== undefined);
    if (raised === undefined) throw malformed([...frames.keys()].join(", "), "it can't be told apart from the others");
    current = raised;
  }
}

/** The nodes that bring values into each frame. */
function framesOf(nodes: Nodes): ReadonlyMap<string, readonly GraphNode[]> {
  const frames = new Map<string, GraphNode[]>();
  for (const node of nodes.values()) {
    if (!/^(Ref)?Enter$/.test(node.op)) continue;
    const name = node.attrs.text("frame_name", "");
    frames.set(name, [...(frames.get(name) ?? []), node]);
  }
  return frames;
}

/** A variable of a loop: where it enters, is merged with the next round's, and is let through or out. */
interface Variable {
  readonly enter: GraphNode;
  readonly merge: GraphNode;
  readonly next: GraphNode;
}

/** The graph with this loop as one node; undefined if another loop within it must be raised first. */
function raiseLoop(frame: string, enters: readonly GraphNode[], nodes: Nodes): Nodes | undefined {
  const variables = [...nodes.values()].flatMap((merge) => variableOf(merge, enters, nodes));
  const merges = new Map(variables.map(({ merge }, index) => [merge.name, index]));
  const switches = [...nodes.values()].filter(({ op, inputs }) => op === "Switch" && merges.has(inputs[0]?.node ?? ""));
  const condition = nodes.get(switches[0]?.inputs[1]?.node ?? "");
  if (condition?.op !== "LoopCond") throw malformed(frame, "it has no LoopCond");
  const invariants = enters.filter((enter) => !variables.some((variable) => variable.enter === enter));
  const inputs = [...variables.map(({ merge }) => merge.name), ...invariants.map(({ name }) => name)];
  const mergeOf = new Map(switches.map(({ name, inputs: [data] }) => [name, data?.node ?? ""]));
  const within = (ref: OutputRef): OutputRef => {
    const merge = mergeOf.get(ref.node);
    return merge === undefined ? ref : { node: merge, output: 0 };
  };
  const cond = cut(nodes, inputs, [within(inputOf(condition, 0))], within);
  const results = [
    ...variables.map(({ next }) => within(inputOf(next, 0))),
    ...invariants.map(({ name }) => port(name)),
  ];
  const body = cut(nodes, inputs, results, within);
  if (cond === undefined || body === undefined) return undefined;
  const loop: LoopNode = {
    name: freeName(frame, nodes),
    op: "Loop",
    inputs: [...variables.map(({ enter }) => inputOf(enter, 0)), ...invariants.map((enter) => inputOf(enter, 0))],
    controls: [],
    attrs: condition.attrs,
    cond,
    body,
  };
  const gone = new Set([...enters, ...variables.flatMap(({ merge, next }) => [merge, next]), ...switches, condition]);
  const rest = [...nodes.values()].filter((node) => !gone.has(node)).map((node) => exitOf(node, mergeOf, merges, loop));
  return new Map([...rest, loop].map((node) => [node.name, node]));
}

function variableOf(merge: GraphNode, enters: readonly GraphNode[], nodes: Nodes): readonly Variable[] {
  if (merge.op !== "Merge") return [];
  const sources = merge.inputs.map(({ node }) => nodes.get(node));
  const enter = sources.find((source) => source !== undefined && enters.includes(source));
  const next = sources.find((source) => source?.op === "NextIteration");
  return enter === undefined || next === undefined ? [] : [{ enter, merge, next }];
}

/** `Exit` lets a variable out: it becomes what the loop returns. */
function exitOf(
  node: GraphNode,
  mergeOf: ReadonlyMap<string, string>,
  merges: ReadonlyMap<string, number>,
  loop: LoopNode,
) {
  if (node.op !== "Exit") return node;
  const output = merges.get(mergeOf.get(node.inputs[0]?.node ?? "") ?? "");
  return output === undefined ? node : { ...node, op: "Identity", inputs: [{ node: loop.name, output }] };
}

/** What the outputs need, as a function; undefined if another loop lies within. */
function cut(
  nodes: Nodes,
  inputs: readonly string[],
  outputs: readonly OutputRef[],
  within: (ref: OutputRef) => OutputRef,
): GraphBody | undefined {
  const own = new Map<string, GraphNode>();
  for (const name of inputs) own.set(name, { ...nodeOf(nodes, name), op: "Placeholder", inputs: [], controls: [] });
  const wanted = outputs.map(({ node }) => node);
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    if (own.has(name)) continue;
    const node = nodeOf(nodes, name);
    if (node.op === "Exit") return undefined;
    const copy = { ...node, inputs: node.inputs.map(within) };
    own.set(name, copy);
    wanted.push(...copy.inputs.map((input) => input.node));
  }
  return { nodes: own, inputs, outputs };
}

function nodeOf(nodes: Nodes, name: string): GraphNode {
  const node = nodes.get(name);
  if (node === undefined) throw malformed(name, "it is not there");
  return node;
}

function inputOf(node: GraphNode, index: number): OutputRef {
  const input = node.inputs[index];
  if (input === undefined) throw malformed(node.name, `it lacks input ${index}`);
  return input;
}

function port(node: string): OutputRef {
  return { node, output: 0 };
}

function freeName(wanted: string, nodes: Nodes): string {
  let name = wanted;
  for (let count = 0; nodes.has(name); count++) name = `${wanted}_${count}`;
  return name;
}

function malformed(name: string, reason: string): InferenceError {
  return new InferenceError("unsupported", `loop "${name}": ${reason}; convert the model with Nearside's converter`);
}
