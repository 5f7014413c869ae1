import { consumersOf } from "../graph/consumers-of.ts";
import type { Graph, Pass, TensorRef } from "../graph/graph.ts";
import { knownScalars } from "../graph/known-scalar.ts";
import { mapNodes } from "../graph/map-nodes.ts";
import { rewiredTensors } from "../graph/rewired.ts";

/**
 * Takes the way that TensorFlow 1's branches always go: what hangs on the other side of a `Switch` with a known
 * predicate never runs, and a `Merge` of which one input is left is that input. Control edges count as well, so this
 * must come before they are dropped.
 */
export const decideSwitches: Pass = (graph) => {
  const sides = knownSides(graph);
  if (sides.size === 0) return graph;
  const dead = deadNodes(graph, sides);
  const isDead = ({ node, output }: TensorRef) => dead.has(node) || (sides.get(node) ?? output) !== output;
  const passed = (ref: TensorRef): TensorRef => {
    let at = ref;
    for (let step = 0; step <= sides.size; step++) {
      const data = sides.get(at.node) === at.output ? graph.nodes.get(at.node)?.inputs[0] : undefined;
      if (data === undefined) return at;
      at = data;
    }
    return at;
  };
  const decided = mapNodes(graph, (node) => {
    if (node.op !== "Merge" || node.inputs.length < 2) return node;
    const inputs = node.inputs.filter((input) => !isDead(input));
    return inputs.length === 1 ? { ...node, op: "Identity", inputs } : node;
  });
  return rewiredTensors(decided, passed);
};

/** Which output of each `Switch` is alive, of those that always take the same one. */
function knownSides(graph: Graph): ReadonlyMap<string, number> {
  const scalarOf = knownScalars(graph);
  const sides = new Map<string, number>();
  for (const { name, op, inputs } of graph.nodes.values()) {
    const predicate = op === "Switch" ? inputs[1] : undefined;
    const value = predicate === undefined ? undefined : scalarOf(predicate);
    if (value !== undefined) sides.set(name, value === 0 ? 0 : 1);
  }
  return sides;
}

/** The nodes that never run: they take something, or wait for something, that is on a side not taken. */
function deadNodes(graph: Graph, sides: ReadonlyMap<string, number>): ReadonlySet<string> {
  const consumers = consumersOf(graph);
  const dead = new Set<string>();
  const isDead = ({ node, output }: TensorRef) => dead.has(node) || (sides.get(node) ?? output) !== output;
  // The walk grows by what dies; a merge is looked at again whenever one more of its inputs has died.
  const pending = [...sides.keys()];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    for (const node of consumers.get(name) ?? []) {
      const waits = node.controls.some((control) => dead.has(control));
      const takes = node.op === "Merge" ? node.inputs.every(isDead) : node.inputs.some(isDead);
      if (dead.has(node.name) || !(waits || takes)) continue;
      dead.add(node.name);
      pending.push(node.name);
    }
  }
  return dead;
}
