import { isTrue } from "../graph/attr-values.ts";
import { constant } from "../graph/constant.ts";
import { freeName } from "../graph/free-name.ts";
import type { Attr, Attrs, Body, Node, Pass, Shape, TensorRef } from "../graph/graph.ts";
import { int32List, numbersOf } from "../graph/literal.ts";
import { mapNodes } from "../graph/map-nodes.ts";
import { rewiredNode } from "../graph/rewired.ts";
import { sourceOf } from "../graph/source-of.ts";

/**
 * Turns TensorFlow 1's arrays of tensors into TensorFlow 2's lists of tensors. Each op on an array returns a `flow`,
 * which the next one takes: it becomes the list. Arrays stay as they are where one op among them has no counterpart.
 */
export const listsForArrays: Pass = (graph) => {
  const arrays = [...graph.nodes.values()].filter(({ op }) => op.startsWith("TensorArray"));
  if (arrays.length === 0 || !arrays.every(({ op }) => Object.hasOwn(counterparts, op))) return graph;
  const nodes = new Map<string, Node>();
  const isTaken = (name: string) => graph.nodes.has(name) || nodes.has(name);
  const shape = (node: Node, dimensions: Shape): TensorRef => {
    const value =
      dimensions === null ? { ...int32List([-1]), shape: [] } : int32List(dimensions.map((size) => size ?? -1));
    const name = freeName(`${node.name}/element_shape`, isTaken);
    nodes.set(name, constant(name, value));
    return { node: name, output: 0 };
  };
  for (const node of graph.nodes.values()) {
    const isArray = node.op.startsWith("TensorArray");
    const replacement = isArray ? counterparts[node.op]?.(node, graph, shape) : node;
    if (replacement === undefined) return graph;
    nodes.set(node.name, isArray ? { name: node.name, controls: node.controls, ...replacement } : node);
  }
  // A new array's flow is its second output.
  const flow = (ref: TensorRef): TensorRef =>
    ref.output === 1 && graph.nodes.get(ref.node)?.op === "TensorArrayV3" ? { node: ref.node, output: 0 } : ref;
  return mapNodes({ ...graph, nodes }, (node) => rewiredNode(node, flow));
};

/** An op on a list, its inputs and attributes. */
interface ListOp {
  readonly op: string;
  readonly inputs: readonly TensorRef[];
  readonly attrs: Attrs;
}

/** Adds a constant with a shape, −1 where a dimension is unknown. */
type AddShape = (node: Node, dimensions: Shape) => TensorRef;

type Counterpart = (node: Node, body: Body, shape: AddShape) => ListOp | undefined;

const shapeType: Attrs = { shape_type: { type: "DT_INT32" } };

/** The list op for each array op, whose first input is the array's handle and whose last is its flow. */
const counterparts: Readonly<Record<string, Counterpart>> = {
  TensorArrayV3: (node, _, shape) => ({
    op: "TensorListReserve",
    inputs: [shape(node, shapeOf(node)), ...node.inputs],
    attrs: { ...elements(node), ...shapeType },
  }),
  TensorArrayWriteV3: ({ inputs: [, index, value, flow], attrs }) => ({
    op: "TensorListSetItem",
    inputs: present(flow, index, value),
    attrs: { element_dtype: attrs.T ?? float },
  }),
  TensorArrayReadV3: (node, body, shape) => ({
    op: "TensorListGetItem",
    inputs: present(node.inputs[2], node.inputs[1], shape(node, shapeOf(arrayOf(body, node)))),
    attrs: elements(node),
  }),
  TensorArrayGatherV3: (node, body, shape) => {
    const [handle, indices, flow] = node.inputs;
    const elementShape = shape(node, shapeOf(node) ?? shapeOf(arrayOf(body, node)));
    return isWholeArray(body, handle, indices)
      ? {
          op: "TensorListStack",
          inputs: present(flow, elementShape),
          attrs: { ...elements(node), num_elements: { i: -1n } },
        }
      : { op: "TensorListGather", inputs: present(flow, indices, elementShape), attrs: elements(node) };
  },
  TensorArrayScatterV3: (node, body, shape) => {
    const [, indices, value, flow] = node.inputs;
    // TensorFlow wants as many indices as there are elements, so counting from zero fills all of a new array.
    const isNew = flow !== undefined && body.nodes.get(sourceOf(body, flow).node)?.op === "TensorArrayV3";
    if (!isNew || !countsFromZero(body, indices)) return undefined;
    return {
      op: "TensorListFromTensor",
      inputs: present(value, shape(node, shapeOf(arrayOf(body, node)))),
      attrs: { element_dtype: node.attrs.T ?? float, ...shapeType },
    };
  },
  TensorArraySizeV3: ({ inputs: [, flow] }) => ({ op: "TensorListLength", inputs: present(flow), attrs: {} }),
  TensorArrayCloseV3: () => ({ op: "NoOp", inputs: [], attrs: {} }),
};

const float: Attr = { type: "DT_FLOAT" };

function elements({ attrs }: Node): Attrs {
  return { element_dtype: attrs.dtype ?? float };
}

function shapeOf(node: Node | undefined): Shape {
  const attr = node?.attrs.element_shape;
  return attr !== undefined && "shape" in attr ? attr.shape : null;
}

function present(...refs: readonly (TensorRef | undefined)[]): readonly TensorRef[] {
  return refs.filter((ref) => ref !== undefined);
}

/** The node that made the array that another works on, whose handle may go through loops and branches. */
function arrayOf(body: Body, { inputs }: Node): Node | undefined {
  return arrayBehind(body, inputs[0]);
}

function arrayBehind(body: Body, handle: TensorRef | undefined): Node | undefined {
  let node = handle && body.nodes.get(sourceOf(body, handle).node);
  for (let step = 0; step <= body.nodes.size; step++) {
    const [input] = node !== undefined && /^(Enter|Switch)$/.test(node.op) ? node.inputs : [];
    if (input === undefined) return node;
    node = body.nodes.get(sourceOf(body, input).node);
  }
  return undefined;
}

/** True for 0, 1, 2, …, however many. */
function countsFromZero(body: Body, indices: TensorRef | undefined): boolean {
  const node = indices && body.nodes.get(sourceOf(body, indices).node);
  const [start, , step] = node?.op === "Range" ? node.inputs : [];
  return numberOf(body, start) === 0 && numberOf(body, step) === 1;
}

/** True for 0, 1, 2, … up to the array's size, asked for or as the array was made with it. */
function isWholeArray(body: Body, handle: TensorRef | undefined, indices: TensorRef | undefined): boolean {
  const range = indices && body.nodes.get(sourceOf(body, indices).node);
  const array = arrayBehind(body, handle);
  const limit = range?.inputs[1] && sourceOf(body, range.inputs[1]);
  if (array === undefined || limit === undefined || !countsFromZero(body, indices)) return false;
  const size = body.nodes.get(limit.node);
  if (size?.op === "TensorArraySizeV3") return arrayOf(body, size) === array;
  const made = array.inputs[0] && sourceOf(body, array.inputs[0]);
  const number = numberOf(body, made);
  const isSame = made?.node === limit.node && made.output === limit.output;
  return (isSame || (number !== undefined && number === numberOf(body, limit))) && !isTrue(array, "dynamic_size");
}

/** A constant int32. */
function numberOf(body: Body, ref: TensorRef | undefined): number | undefined {
  const value = ref && body.nodes.get(sourceOf(body, ref).node)?.value;
  return value?.kind === "literal" && value.dtype === "DT_INT32" ? numbersOf(value)?.[0] : undefined;
}
