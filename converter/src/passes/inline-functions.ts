import { InferenceError } from "@nearside/core";
import { damaged } from "../damaged.ts";
import { allNodes } from "../graph/all-nodes.ts";
import { calledFunction } from "../graph/called-function.ts";
import { freeName } from "../graph/free-name.ts";
import type { Attr, Attrs, Body, Graph, Node, Pass, TensorRef } from "../graph/graph.ts";
import { mapNodes } from "../graph/map-nodes.ts";
import { rewiredTensors } from "../graph/rewired.ts";

/**
 * Replaces each call of a function by the function's nodes, named `<call>/<node>`, until no call is left.
 * What had to run before the call runs before the nodes that begin the body; what waited for the call waits for the
 * body's effects and results. Throws `unsupported` for functions that call themselves.
 */
export const inlineFunctions: Pass = (graph) => {
  const maxNodes = maxGrown(graph);
  const inlined = inlineWithin(graph, maxNodes);
  if (inlined !== undefined) return inlined;
  const message = `functions: more than ${maxNodes} nodes once calls are replaced; split the model`;
  throw new InferenceError("unsupported", message);
};

/**
 * How many nodes the functions of a graph may become: a few times what it holds, as those that call each other twice,
 * thirty deep, would fill memory.
 */
export function maxGrown(graph: Graph): number {
  return Math.max(20_000, 4 * allNodes(graph).length);
}

/** The same, or undefined once there are more than `maxNodes` nodes. */
export function inlineWithin(graph: Graph, maxNodes: number): Graph | undefined {
  let current = graph;
  for (let depth = 0; hasCalls(current); depth++) {
    if (depth === maxDepth) {
      const message = `functions: calls nested more than ${maxDepth} deep; recursive functions can't be converted`;
      throw new InferenceError("unsupported", message);
    }
    const next = inlineOnce(current, maxNodes);
    if (next === undefined) return undefined;
    current = next;
  }
  return current;
}

/** Deeper than any model calls; each level costs a walk over the whole graph. */
const maxDepth = 50;

function hasCalls(graph: Graph): boolean {
  return (
    graph.functions.size > 0 && [...graph.nodes.values()].some((node) => calledFunction(graph, node) !== undefined)
  );
}

/** What takes the place of a call: a tensor for each output, nodes for its control output. */
interface Replacement {
  readonly outputs: readonly TensorRef[];
  readonly controls: readonly string[];
}

function inlineOnce(graph: Graph, maxNodes: number): Graph | undefined {
  const nodes = new Map<string, Node>();
  const replacements = new Map<string, Replacement>();
  for (const node of graph.nodes.values()) {
    const called = calledFunction(graph, node);
    if (called === undefined) {
      nodes.set(node.name, node);
      continue;
    }
    const inlined = inlineBody(node, called.body, (name) => graph.nodes.has(name) || nodes.has(name));
    for (const part of inlined.nodes) nodes.set(part.name, part);
    replacements.set(node.name, inlined.replacement);
    if (nodes.size > maxNodes) return undefined;
  }
  const waitFor = (names: readonly string[]) => {
    if (!names.some((name) => replacements.has(name))) return names;
    return [...new Set(names.flatMap((name) => finalControls(name, replacements)))];
  };
  const rewired = rewiredTensors({ ...graph, nodes }, (ref) => finalTensor(ref, replacements));
  const waiting = mapNodes(rewired, (node) => {
    const controls = waitFor(node.controls);
    return controls === node.controls ? node : { ...node, controls };
  });
  return { ...waiting, controls: waitFor(graph.controls) };
}

function inlineBody(
  call: Node,
  body: Body,
  isTaken: (name: string) => boolean,
): { nodes: readonly Node[]; replacement: Replacement } {
  const given = new Map(body.inputs.map(({ tensor }, index) => [tensor.node, call.inputs[index]]));
  const names = new Map<string, string>();
  for (const name of body.nodes.keys()) {
    if (!given.has(name)) names.set(name, freeName(`${call.name}/${name}`, isTaken));
  }
  const rename = (name: string) => names.get(name) ?? name;
  const tensor = (ref: TensorRef): TensorRef => given.get(ref.node) ?? { node: rename(ref.node), output: ref.output };
  const controlNames = (controls: readonly string[]) => controls.filter((name) => !given.has(name)).map(rename);
  const nodes = [...body.nodes.values()]
    .filter(({ name }) => !given.has(name))
    .map((node) => {
      const isFirst = node.inputs.every((input) => given.has(input.node));
      return {
        ...node,
        name: rename(node.name),
        inputs: node.inputs.map(tensor),
        controls: [...controlNames(node.controls), ...(isFirst ? call.controls : [])],
        attrs: fillPlaceholders(node.attrs, call.attrs),
      };
    });
  const outputs = body.outputs.map((port) => tensor(port.tensor));
  const last = controlNames([...body.controls, ...body.outputs.map((port) => port.tensor.node)]);
  return { nodes, replacement: { outputs, controls: last.length === 0 ? call.controls : last } };
}

/** The attributes of a node in a polymorphic function, with `T: $T` filled in from the call. */
function fillPlaceholders(attrs: Attrs, given: Attrs): Attrs {
  if (!Object.values(attrs).some((attr) => "placeholder" in attr)) return attrs;
  const entries = Object.entries(attrs).map(([name, attr]): [string, Attr] => [
    name,
    "placeholder" in attr ? (given[attr.placeholder] ?? attr) : attr,
  ]);
  return Object.fromEntries(entries);
}

/** A result may be the result of another call that was replaced at the same time. */
function finalTensor(ref: TensorRef, replacements: ReadonlyMap<string, Replacement>): TensorRef {
  let at = ref;
  for (let step = 0; step <= replacements.size; step++) {
    const replacement = replacements.get(at.node);
    if (replacement === undefined) return at;
    const output = replacement.outputs[at.output];
    if (output === undefined) {
      throw damaged(`call "${at.node}"`, `${replacement.outputs.length} outputs`, "the use of one more");
    }
    at = output;
  }
  throw damaged(`call "${ref.node}"`, "a result", "calls that return each other's");
}

function finalControls(name: string, replacements: ReadonlyMap<string, Replacement>): readonly string[] {
  if (!replacements.has(name)) return [name];
  const names = new Set([name]);
  // The set grows while it is walked, by what the calls in it are replaced with.
  for (const candidate of names) for (const next of replacements.get(candidate)?.controls ?? []) names.add(next);
  return [...names].filter((candidate) => !replacements.has(candidate));
}
