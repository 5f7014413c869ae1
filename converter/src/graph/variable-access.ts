import { textAttr } from "./attr-values.ts";
import { constant } from "./constant.ts";
import type { DataType } from "./data-type.ts";
import { freeName } from "./free-name.ts";
import type { Attr, Attrs, Node, TensorRef } from "./graph.ts";
import { int32List } from "./literal.ts";

/** The ops that stand for a variable. */
export const variableOps: ReadonlySet<string> = new Set(["VarHandleOp", "VariableV2", "Variable"]);

/** What a variable is known by: nodes with the same shared name in the same container are the same variable. */
export function variableName(node: Node): string {
  const container = textAttr(node, "container");
  return `${container === "" ? "" : `${container}/`}${textAttr(node, "shared_name") || node.name}`;
}

/**
 * What takes the place of a node that reads a resource variable through its handle, once the variable's value is the
 * tensor `params`; undefined for a node that does something else with it.
 */
export function readVariable(
  node: Node,
  params: TensorRef,
  dtype: DataType,
  isTaken: (name: string) => boolean,
): readonly Node[] | undefined {
  const rest = node.inputs.slice(1);
  const type: Attr = { type: dtype };
  const int32: Attr = { type: "DT_INT32" };
  const { Tindices = int32, batch_dims = { i: 0n } } = node.attrs;
  if (node.op === "ReadVariableOp") return [{ ...node, op: "Identity", inputs: [params], attrs: { T: type } }];
  if (node.op === "ResourceGatherNd") {
    return [{ ...node, op: "GatherNd", inputs: [params, ...rest], attrs: { Tparams: type, Tindices } }];
  }
  if (node.op !== "ResourceGather") return undefined;
  // A gather from a variable is along the dimension after its batch dimensions; GatherV2 takes the axis as an input.
  const axis = constant(freeName(`${node.name}/axis`, isTaken), {
    ...int32List(["i" in batch_dims ? Number(batch_dims.i) : 0]),
    shape: [],
  });
  const inputs = [params, ...rest, { node: axis.name, output: 0 }];
  return [axis, { ...node, op: "GatherV2", inputs, attrs: { Tparams: type, Tindices, Taxis: int32, batch_dims } }];
}

/** Adds a node and returns its first output. */
type Add = (suffix: string, op: string, inputs: readonly TensorRef[], attrs: Attrs) => TensorRef;

/** The op, its inputs and attributes, that computes what a variable holds after a write. */
interface NewValue {
  readonly op: string;
  readonly inputs: readonly TensorRef[];
  readonly attrs: Attrs;
}

type Write = (before: TensorRef, args: readonly TensorRef[], node: Node, type: Attr, add: Add) => NewValue;

const assign: Write = (_, [value], __, T) => ({ op: "Identity", inputs: given(value), attrs: { T } });
const add: Write = (before, [value], _, T) => ({ op: "AddV2", inputs: [before, ...given(value)], attrs: { T } });
const subtract: Write = (before, [value], _, T) => ({ op: "Sub", inputs: [before, ...given(value)], attrs: { T } });

/** variable − rate · gradient */
const descend: Write = (before, [rate, gradient], _, T, addNode) => {
  const step = addNode("step", "Mul", [...given(rate), ...given(gradient)], { T });
  return { op: "Sub", inputs: [before, step], attrs: { T } };
};

/** Rows of the variable, replaced or changed: `indices` are row numbers, and TensorFlow.js takes lists of coordinates. */
function scatter(op: string): Write {
  return (before, [indices, updates], { attrs }, T, addNode) => {
    const Tindices = attrs.Tindices ?? { type: "DT_INT32" };
    const axis = addNode("axis", "Const", [], {});
    const rows = addNode("rows", "ExpandDims", [...given(indices), axis], { T: Tindices, Tdim: { type: "DT_INT32" } });
    return { op, inputs: [before, rows, ...given(updates)], attrs: { T, Tindices } };
  };
}

function given(ref: TensorRef | undefined): readonly TensorRef[] {
  return ref === undefined ? [] : [ref];
}

/** What each op writes to the variable that is its first input; by TensorFlow 2's name and TensorFlow 1's. */
const writes: Readonly<Record<string, Write>> = {
  Assign: assign,
  AssignAdd: add,
  AssignAddVariableOp: add,
  AssignSub: subtract,
  AssignSubVariableOp: subtract,
  AssignVariableOp: assign,
  ApplyGradientDescent: descend,
  ResourceApplyGradientDescent: descend,
  ResourceScatterAdd: scatter("TensorScatterAdd"),
  ResourceScatterSub: scatter("TensorScatterSub"),
  ResourceScatterUpdate: scatter("TensorScatterUpdate"),
  ScatterAdd: scatter("TensorScatterAdd"),
  ScatterSub: scatter("TensorScatterSub"),
  ScatterUpdate: scatter("TensorScatterUpdate"),
};

/** True for an op that writes to a variable in a way that `writeVariable` knows. */
export function isWrite({ op }: Node): boolean {
  return Object.hasOwn(writes, op);
}

/** The nodes that compute what a variable holds after `node` has written to it, the last of them under its name. */
export function writeVariable(
  node: Node,
  before: TensorRef,
  dtype: DataType,
  isTaken: (name: string) => boolean,
): readonly Node[] {
  const write = writes[node.op];
  if (write === undefined) return [node];
  const nodes: Node[] = [];
  const addNode: Add = (suffix, op, inputs, attrs) => {
    const name = freeName(`${node.name}/${suffix}`, isTaken);
    const last = { ...int32List([-1]), shape: [] };
    nodes.push(op === "Const" ? constant(name, last) : { name, op, inputs, controls: [], attrs });
    return { node: name, output: 0 };
  };
  const value = write(before, node.inputs.slice(1), node, { type: dtype }, addNode);
  return [...nodes, { name: node.name, controls: node.controls, ...value }];
}
