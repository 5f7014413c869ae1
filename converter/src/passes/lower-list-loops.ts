import { functionOf, isLoop } from "../graph/control-flow.ts";
import { freeName } from "../graph/free-name.ts";
import type { Attr, Attrs, Body, Graph, Node, Pass, TensorRef } from "../graph/graph.ts";
import { rewiredNode, rewiredTensors } from "../graph/rewired.ts";
import { nestsLists, usesLists } from "./dense-lists.ts";

/**
 * Writes loops of unknown length that work on lists of tensors in TensorFlow 1's form, round by round through
 * `Merge(Enter, NextIteration)` and `Switch` to the body or to `Exit`. In functions TensorFlow.js disposes of the
 * elements of a list at the end of each round; in one graph it keeps them.
 */
export const lowerListLoops: Pass = (graph) => {
  let current = graph;
  for (let depth = 0; depth < maxDepth; depth++) {
    const loop = [...current.nodes.values()].find(
      (node) => isLoop(node) && usesLists(current, node) && !nestsLists(current, node),
    );
    const next = loop === undefined ? undefined : lower(current, loop);
    if (next === undefined) return current;
    current = next;
  }
  return current;
};

/** More loops than any model has. */
const maxDepth = 1000;

function lower(graph: Graph, loop: Node): Graph | undefined {
  const condition = graph.functions.get(functionOf(loop.attrs.cond) ?? "");
  const body = graph.functions.get(functionOf(loop.attrs.body) ?? "");
  const [goesOn] = condition?.outputs ?? [];
  if (condition === undefined || body === undefined || goesOn === undefined) return undefined;
  // A result that no input has a part in would be there before the first round.
  if (!body.outputs.every(({ tensor }) => dependsOnInput(body, tensor)) || !dependsOnInput(condition, goesOn.tensor)) {
    return undefined;
  }
  const nodes = new Map(graph.nodes);
  nodes.delete(loop.name);
  const add = (wanted: string, op: string, inputs: readonly TensorRef[], attrs: Attrs): TensorRef => {
    const name = freeName(wanted, (taken) => nodes.has(taken) || graph.nodes.has(taken));
    nodes.set(name, { name, op, inputs, controls: [], attrs });
    return { node: name, output: 0 };
  };
  const frame: Attrs = { frame_name: { s: new TextEncoder().encode(loop.name) }, is_constant: { b: false } };
  const types = body.inputs.map(({ dtype }): Attr => ({ type: dtype }));
  const typed = (place: number): Attrs => ({ T: types[place] ?? { type: "DT_FLOAT" } });
  const merges = loop.inputs.map((input, place) => {
    const enter = add(`${loop.name}/Enter_${place}`, "Enter", [input], { ...frame, ...typed(place) });
    return add(`${loop.name}/Merge_${place}`, "Merge", [enter, enter], typed(place));
  });
  const [predicate] = copy(condition, merges, nodes);
  if (predicate === undefined) return undefined;
  const goOn = add(`${loop.name}/LoopCond`, "LoopCond", [predicate], {});
  const switches = merges.map((merge, place) =>
    add(`${loop.name}/Switch_${place}`, "Switch", [merge, goOn], typed(place)),
  );
  const rounds = switches.map(({ node }) => ({ node, output: 1 }));
  for (const [place, result] of copy(body, rounds, nodes).entries()) {
    const next = add(`${loop.name}/NextIteration_${place}`, "NextIteration", [result], typed(place));
    const merge = nodes.get(merges[place]?.node ?? "");
    if (merge === undefined) continue;
    nodes.set(merge.name, {
      ...merge,
      inputs: [...merge.inputs.slice(0, 1), next],
      attrs: { ...merge.attrs, N: { i: 2n } },
    });
  }
  const exits = switches.map((ref, place) => add(`${loop.name}/Exit_${place}`, "Exit", [ref], typed(place)));
  const tensor = (ref: TensorRef): TensorRef => (ref.node === loop.name ? (exits[ref.output] ?? ref) : ref);
  return rewiredTensors({ ...graph, nodes }, tensor);
}

/** Copies a function's nodes, whose names no other function shares, and returns its results. */
function copy(body: Body, given: readonly TensorRef[], nodes: Map<string, Node>): readonly TensorRef[] {
  const inputs = new Map(body.inputs.map(({ tensor }, place) => [tensor.node, given[place]]));
  const tensor = (ref: TensorRef): TensorRef => inputs.get(ref.node) ?? ref;
  for (const node of body.nodes.values()) {
    if (!inputs.has(node.name)) nodes.set(node.name, rewiredNode(node, tensor));
  }
  return body.outputs.map((port) => tensor(port.tensor));
}

function dependsOnInput(body: Body, ref: TensorRef): boolean {
  const inputs = new Set(body.inputs.map(({ tensor }) => tensor.node));
  const seen = new Set([ref.node]);
  // The set grows while it is walked, by what its nodes take.
  for (const name of seen) {
    if (inputs.has(name)) return true;
    for (const { node } of body.nodes.get(name)?.inputs ?? []) seen.add(node);
  }
  return false;
}
