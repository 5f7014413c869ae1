import { constant } from "../graph/constant.ts";
import type { Graph, Node, Pass, TensorRef, TensorValue } from "../graph/graph.ts";
import { replaceNodes } from "../graph/map-nodes.ts";
import { sourcesIn } from "../graph/source-of.ts";
import { readVariable } from "../graph/variable-access.ts";

/**
 * Puts the variables' values where they are read. A read becomes a constant, a gather from a variable a gather from a
 * constant, a TensorFlow 1 variable a constant. Variables that something writes to stay as they are.
 *
 * The constant is named after the variable, or after the read where the variable's name is one that TensorFlow made up
 * for an argument (`unknown_3`): those names the Python converter gives the weights.
 */
export const bindVariables: Pass = (graph) => {
  const sourceOf = sourcesIn(graph);
  const values = readOnlyValues(graph, sourceOf);
  if (values.size === 0) return graph;
  return replaceNodes(graph, (node) => replace(graph, values, node, sourceOf));
};

type SourceOf = (ref: TensorRef) => TensorRef;

/** The values of the variables that have one and are only read, by the variable's node. */
function readOnlyValues(graph: Graph, sourceOf: SourceOf): ReadonlyMap<string, TensorValue> {
  const values = new Map<string, TensorValue>();
  for (const { name, op, value } of graph.nodes.values()) {
    if (op !== "Const" && value !== undefined) values.set(name, value);
  }
  if (values.size === 0) return values;
  for (const { op, inputs } of graph.nodes.values()) {
    for (const input of inputs) {
      const variable = graph.nodes.get(sourceOf(input).node);
      if (variable === undefined) continue;
      // A reference variable is itself the tensor, so whatever doesn't assign to it only reads it.
      const isRead = variable.op === "VarHandleOp" ? readOps.has(op) : !writeOps.test(op);
      if (!isRead) values.delete(variable.name);
    }
  }
  return values;
}

/** What reads a variable through its handle, or hands the handle on. */
const readOps: ReadonlySet<string> = new Set(["Identity", "ReadVariableOp", "ResourceGather", "ResourceGatherNd"]);

/** What writes to a TensorFlow 1 reference variable. */
const writeOps = /^(Assign|Scatter|Apply|SparseApply|CountUpTo)/;

/** What takes the place of a variable, or of a node that takes one: a constant, or nodes that take a constant. */
function replace(
  graph: Graph,
  values: ReadonlyMap<string, TensorValue>,
  node: Node,
  sourceOf: SourceOf,
): readonly Node[] | undefined {
  const own = values.get(node.name);
  if (own !== undefined) return [constant(node.name, own)];
  const [handle] = node.inputs;
  const variable = handle === undefined ? undefined : sourceOf(handle).node;
  const value = variable === undefined ? undefined : values.get(variable);
  if (variable === undefined || value === undefined) return undefined;
  if (node.op === "ReadVariableOp" && /^unknown(_\d+)?$/.test(variable)) return [constant(node.name, value)];
  const params: TensorRef = { node: variable, output: 0 };
  return readVariable(node, params, value.dtype, (name) => graph.nodes.has(name));
}
