import type { Box, Graph, Node } from "../graph/graph.ts";
import { sourceOf } from "../graph/source-of.ts";
import { inlineFunctions } from "../passes/inline-functions.ts";
import { prune } from "../passes/prune.ts";

/** Where the checkpoint has a variable's value. */
export interface CheckpointPlace {
  readonly key: string;
  readonly slice: Box | null;
}

/**
 * Which variable node of `main` the restore op fills from which place of the checkpoint. The op is TensorFlow's own:
 * it reads lists of keys (RestoreV2) and assigns what it read, in TensorFlow 2 within a function that gets the handles.
 */
export function restoredVariables(main: Graph, restoreOp: string): ReadonlyMap<string, CheckpointPlace> {
  if (!main.nodes.has(restoreOp)) return new Map();
  const graph = inlineFunctions(prune({ ...main, inputs: [], outputs: [], controls: [restoreOp] }));
  const places = new Map<string, CheckpointPlace>();
  const lists = new Map<string, readonly CheckpointPlace[]>();
  for (const node of graph.nodes.values()) {
    const [target, given] = node.inputs;
    if (!assignOps.has(node.op) || target === undefined || given === undefined) continue;
    const source = sourceOf(graph, given);
    const list = lists.get(source.node) ?? restoredPlaces(graph, source.node);
    lists.set(source.node, list);
    const place = list[source.output];
    const variable = sourceOf(graph, target).node;
    if (place !== undefined && main.nodes.has(variable)) places.set(variable, place);
  }
  return places;
}

const assignOps: ReadonlySet<string> = new Set(["Assign", "AssignVariableOp"]);

/** The places that the outputs of a restore node are read from. */
function restoredPlaces(graph: Graph, name: string): readonly CheckpointPlace[] {
  const restore = graph.nodes.get(name);
  if (restore?.op !== "RestoreV2") return [];
  const slices = constantStrings(graph, restore, 2);
  return constantStrings(graph, restore, 1).map((key, place) => ({ key, slice: parseSlice(slices[place] ?? "") }));
}

function constantStrings(graph: Graph, { inputs }: Node, input: number): readonly string[] {
  const ref = inputs[input];
  const value = ref === undefined ? undefined : graph.nodes.get(sourceOf(graph, ref).node)?.value;
  if (value?.kind !== "literal" || value.data instanceof Uint8Array) return [];
  const text = new TextDecoder();
  return value.data.map((bytes) => text.decode(bytes));
}

/** `4 3 0,2:-`: the full shape, then `start,length` (or `-` for all) of each dimension; empty for a whole tensor. */
function parseSlice(text: string): Box | null {
  const extents = text.trim().split(" ").at(-1) ?? "";
  if (extents === "") return null;
  const pairs = extents.split(":").map((extent) => (extent === "-" ? [0, -1] : extent.split(",").map(Number)));
  return { starts: pairs.map(([start = 0]) => start), lengths: pairs.map(([, length = -1]) => length) };
}
