import { constant } from "../graph/constant.ts";
import type { Graph, Node, Pass, TensorRef, TensorValue } from "../graph/graph.ts";
import { sourceOf } from "../graph/source-of.ts";
import { readVariable } from "../graph/variable-access.ts";

/**
 * Puts the variables' values where they are read. A read becomes a constant, a gather from a variable a gather from a
 * constant, a TensorFlow 1 variable a constant. Variables that something writes to stay as they are.
 *
 * The constant is named after the variable, or after the read where the variable's name is one that TensorFlow made up
 * for an argument (`unknown_3`): those names the Python converter gives the weights.
 */
export const bindVariables: Pass = (graph) => {
  const values = readOnlyValues(graph);
  const nodes = new Map<string, Node>();
  for (const node of graph.nodes.values()) {
    for (const replacement of replace(graph, values, node)) nodes.set(replacement.name, replacement);
  }
  return { ...graph, nodes };
};

/** The values of the variables that have one and are only read, by the variable's node. */
function readOnlyValues(graph: Graph): ReadonlyMap<string, TensorValue> {
  const values = new Map<string, TensorValue>();
  for (const { name, op, value } of graph.nodes.values()) {
    if (op !== "Const" && value !== undefined) values.set(name, value);
  }
  for (const { op, inputs } of graph.nodes.values()) {
    for (const input of inputs) {
      const variable = graph.nodes.get(sourceOf(graph, input).node);
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

/** What takes a node's place: itself, or nodes that take a constant where it took a variable. */
function replace(graph: Graph, values: ReadonlyMap<string, TensorValue>, node: Node): readonly Node[] {
  const own = values.get(node.name);
  if (own !== undefined) return [constant(node.name, own)];
  const [handle] = node.inputs;
  const variable = handle === undefined ? undefined : sourceOf(graph, handle).node;
  const value = variable === undefined ? undefined : values.get(variable);
  if (variable === undefined || value === undefined) return [node];
  if (node.op === "ReadVariableOp" && /^unknown(_\d+)?$/.test(variable)) return [constant(node.name, value)];
  const params: TensorRef = { node: variable, output: 0 };
  return readVariable(node, params, value.dtype, (name) => graph.nodes.has(name)) ?? [node];
}
