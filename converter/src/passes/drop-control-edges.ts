import { calledFunction } from "../graph/called-function.ts";
import { consumersOf } from "../graph/consumers-of.ts";
import { functionNames } from "../graph/function-names.ts";
import type { Graph, Node, Pass } from "../graph/graph.ts";
import { mapNodes } from "../graph/map-nodes.ts";
import { isOp } from "../ops.ts";

/**
 * Drops the edges that only order nodes, and with them the debug ops (Assert, PrintV2) that hang on nothing else.
 * An edge from a node that changes state, or may, stays: without it the model would compute something else.
 * (TensorFlow.js counts control inputs among the inputs, so one that is left over breaks many ops and all loops.)
 */
export const dropControlEdges: Pass = (graph) => {
  const hasControls =
    graph.controls.length > 0 || [...graph.nodes.values()].some(({ controls }) => controls.length > 0);
  if (!hasControls) return graph;
  const isHarmless = harmlessNodes(graph);
  const keep = (controls: readonly string[]) => controls.filter((name) => !isHarmless(name));
  const kept = mapNodes(graph, (node) => {
    return node.controls.some(isHarmless) ? { ...node, controls: keep(node.controls) } : node;
  });
  return graph.controls.some(isHarmless) ? { ...kept, controls: keep(graph.controls) } : kept;
};

/** Ops without an effect on what the model computes, beside those that TensorFlow.js runs. */
const harmlessOps: ReadonlySet<string> = new Set([
  "Assert",
  "CheckNumerics",
  "CheckNumericsV2",
  "DebugIdentityV2",
  "PreventGradient",
  "PrintV2",
  "ReadVariableOp",
  "ResourceGather",
  "ResourceGatherNd",
  "StringFormat",
  "StringJoin",
  "AsString",
  "Case",
  "StatelessCase",
  "VarHandleOp",
  "VarIsInitializedOp",
  "Variable",
  "VariableV2",
]);

/** Ops in TensorFlow.js's table that change state all the same. */
const effectOps = /^(InitializeTable|LookupTableImport|TensorArray)/;

/** Tells of a node whether it and all that it waits for leave the model's state as it is. */
function harmlessNodes(graph: Graph): (name: string) => boolean {
  const effects = new Set([...graph.nodes.values()].filter((node) => hasEffect(graph, node)).map(({ name }) => name));
  const consumers = effects.size === 0 ? new Map<string, readonly Node[]>() : consumersOf(graph);
  // The set grows while it is walked, by what comes after an effect.
  for (const name of effects) for (const consumer of consumers.get(name) ?? []) effects.add(consumer.name);
  return (name) => !effects.has(name);
}

/** Whether a node, or one in the functions that it calls, may change state. `seen` are functions looked at before. */
function hasEffect(graph: Graph, node: Node, seen = new Set<string>()): boolean {
  if (!harmlessOps.has(node.op) && !isOp(node.op) && calledFunction(graph, node) === undefined) return true;
  if (effectOps.test(node.op)) return true;
  return functionNames(node).some((name) => {
    if (seen.has(name)) return false;
    seen.add(name);
    return [...(graph.functions.get(name)?.nodes.values() ?? [])].some((inner) => hasEffect(graph, inner, seen));
  });
}
