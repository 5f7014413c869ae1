import { functionOf, isLoop } from "../graph/control-flow.ts";
import { freeName } from "../graph/free-name.ts";
import { functionNames } from "../graph/function-names.ts";
import type { Body, Graph, Node, Pass, TensorRef } from "../graph/graph.ts";
import { knownScalars, type ScalarOf } from "../graph/known-scalar.ts";
import { replaceNodes } from "../graph/map-nodes.ts";
import { rewiredTensors } from "../graph/rewired.ts";
import { isWrite } from "../graph/variable-access.ts";
import { decideBranches } from "./decide-branches.ts";
import { inlineWithin } from "./inline-functions.ts";

/**
 * Writes out the loops that always take the same, small number of rounds, such as a recurrent layer over a sequence of
 * fixed length, and the branches that always go the same way. What is left runs without waiting for any predicate, so
 * TensorFlow.js needs no `executeAsync` for it.
 */
export const unrollLoops: Pass = (graph) => {
  let current = graph;
  // Each round uncovers the loops within the loops of the round before; functions may name each other forever.
  for (let depth = 0; depth < maxDepth; depth++) {
    const next = inlineWithin(unrollOnce(decideBranches(current)), maxNodes);
    if (next === undefined) return current;
    if (next === current) return next;
    if (next.nodes.size > maxNodes) return current;
    current = next;
  }
  return current;
};

const maxDepth = 20;

/** Beyond these a graph takes longer to load than the loop takes to run. */
const maxRounds = 128;
const maxNodes = 20_000;

function unrollOnce(graph: Graph): Graph {
  const scalarOf = knownScalars(graph);
  const results = new Map<string, readonly TensorRef[]>();
  const unrolled = replaceNodes(graph, (node) => {
    const rounds = isLoop(node) ? countRounds(graph, node, scalarOf) : undefined;
    if (rounds === undefined) return undefined;
    // The name of the loop stays, for what has to wait for its end.
    const calls = callsOf(graph, node, rounds);
    const last = calls.at(-1);
    results.set(
      node.name,
      node.inputs.map((input, output) => (last === undefined ? input : { node: last.name, output })),
    );
    return [...calls, { ...waiting(node), controls: last === undefined ? node.controls : [last.name] }];
  });
  const finalTensor = (ref: TensorRef): TensorRef => {
    let at = ref;
    for (let step = 0; step <= results.size; step++) {
      const next = results.get(at.node)?.[at.output];
      if (next === undefined) return at;
      at = next;
    }
    return at;
  };
  return rewiredTensors(unrolled, finalTensor);
}

function waiting({ name }: Node): Node {
  return { name, op: "NoOp", inputs: [], controls: [], attrs: {} };
}

/** The loop's rounds as calls of its body, each taking what the one before returned. */
function callsOf(graph: Graph, loop: Node, rounds: number): readonly Node[] {
  const calls: Node[] = [];
  const isOrdered = writesVariables(graph, loop); // then a round has to wait for what the one before wrote
  const { body } = loop.attrs;
  if (body === undefined) return calls;
  let inputs = loop.inputs;
  for (let round = 0; round < rounds; round++) {
    const name = freeName(`${loop.name}/round_${round}`, (taken) => graph.nodes.has(taken));
    const controls = [...loop.controls, ...(isOrdered ? calls.slice(-1).map((call) => call.name) : [])];
    calls.push({ name, op: "PartitionedCall", inputs, controls, attrs: { f: body } });
    inputs = loop.inputs.map((_, output) => ({ node: name, output }));
  }
  return calls;
}

/** True if a node's functions, or functions within those, write to a variable. */
function writesVariables(graph: Graph, node: Node, seen = new Set<string>()): boolean {
  return functionNames(node).some((name) => {
    const body = graph.functions.get(name);
    if (body === undefined || seen.has(name)) return false;
    seen.add(name);
    return [...body.nodes.values()].some((inner) => isWrite(inner) || writesVariables(graph, inner, seen));
  });
}

/** How many rounds a loop takes, or undefined where that isn't sure or is too many. */
function countRounds(graph: Graph, loop: Node, scalarOf: ScalarOf): number | undefined {
  const condition = graph.functions.get(functionOf(loop.attrs.cond) ?? "");
  const body = graph.functions.get(functionOf(loop.attrs.body) ?? "");
  const [goesOn] = condition?.outputs ?? [];
  if (condition === undefined || body === undefined || goesOn === undefined) return undefined;
  if (body.outputs.length !== loop.inputs.length) return undefined;
  let state = loop.inputs.map(scalarOf);
  for (let round = 0; round <= maxRounds; round++) {
    if (round * body.nodes.size > maxNodes) return undefined;
    const choice = scalarsGiven(condition, state)(goesOn.tensor);
    if (choice === undefined) return undefined;
    if (choice === 0) return round;
    const scalarWithin = scalarsGiven(body, state);
    state = body.outputs.map(({ tensor }) => scalarWithin(tensor));
  }
  return undefined;
}

function scalarsGiven(body: Body, state: readonly (number | undefined)[]): ScalarOf {
  return knownScalars(body, new Map(body.inputs.map(({ tensor }, index) => [tensor.node, state[index]])));
}
