import { constant } from "../graph/constant.ts";
import { freeName } from "../graph/free-name.ts";
import type { Attr, Graph, Node, Pass, TensorRef } from "../graph/graph.ts";
import { knownScalars, type ScalarOf } from "../graph/known-scalar.ts";
import { replaceNodes } from "../graph/map-nodes.ts";
import { sourcesIn } from "../graph/source-of.ts";

/** A list as the tensor whose slices are its elements, or as the elements, undefined where none is set. */
type List = { readonly tensor: TensorRef } | { readonly elements: readonly (TensorRef | undefined)[] };

/**
 * Replaces lists of tensors by the tensors in them where it is known which element each op means, as it is once loops
 * are written out: an element of a tensor is a slice of it, an element that was set is what it was set to, and the
 * stack of a list is the pack of its elements.
 */
export const flattenTensorLists: Pass = (graph) => {
  const search: Search = {
    graph,
    sourceOf: sourcesIn(graph),
    scalarOf: knownScalars(graph),
    lists: new Map(),
    elementsLeft: maxElements,
  };
  return replaceNodes(graph, (node) => flatten(search, node));
};

interface Search {
  readonly graph: Graph;
  readonly sourceOf: (ref: TensorRef) => TensorRef;
  readonly scalarOf: ScalarOf;
  /** What is known of lists, by the nodes that return them; undefined where that depends on the model's inputs. */
  readonly lists: Map<string, List | undefined>;
  elementsLeft: number;
}

/** Longer lists, longer chains of changes to one, and lists after so many elements of others are left as they are. */
const maxLength = 4096;
const maxDepth = 1000;
const maxElements = 2 ** 22;

function flatten(search: Search, node: Node): readonly Node[] | undefined {
  const { graph, scalarOf } = search;
  const [handle, second] = node.inputs;
  if (handle === undefined || !/^TensorList(GetItem|Stack)$/.test(node.op)) return undefined;
  const list = listOf(search, handle, 0);
  if (list === undefined) return undefined;
  const dtype = node.attrs.element_dtype ?? { type: "DT_FLOAT" };
  if (node.op === "TensorListStack") {
    if ("tensor" in list) return [identity(node, list.tensor, dtype)];
    const elements = list.elements.filter((element) => element !== undefined);
    if (elements.length === 0 || elements.length < list.elements.length) return undefined;
    const attrs = { T: dtype, N: { i: BigInt(elements.length) }, axis: { i: 0n } };
    return [{ ...node, op: "Pack", inputs: elements, attrs }];
  }
  if (second === undefined) return undefined;
  const index = scalarOf(second);
  if ("tensor" in list)
    return index === undefined
      ? gather(graph, node, list.tensor, second, dtype)
      : slice(graph, node, list.tensor, index, dtype);
  const element = index === undefined ? undefined : list.elements[index];
  return element === undefined ? undefined : [identity(node, element, dtype)];
}

/** What a list handle stands for. */
function listOf(search: Search, ref: TensorRef, depth: number): List | undefined {
  const { graph, lists, sourceOf } = search;
  const node = graph.nodes.get(sourceOf(ref).node);
  if (node === undefined || depth > maxDepth) return undefined;
  if (lists.has(node.name)) return lists.get(node.name);
  const list = search.elementsLeft > 0 ? readList(search, node, depth) : undefined;
  if (list !== undefined && "elements" in list) search.elementsLeft -= list.elements.length;
  lists.set(node.name, list);
  return list;
}

function readList(search: Search, { op, inputs: [first, second, third] }: Node, depth: number): List | undefined {
  const { scalarOf } = search;
  if (op === "TensorListFromTensor") return first && { tensor: first };
  if (op === "EmptyTensorList") return { elements: [] };
  if (op === "TensorListReserve") {
    const count = (second && scalarOf(second)) ?? -1;
    return count < 0 || count > maxLength ? undefined : { elements: Array.from({ length: count }, () => undefined) };
  }
  const isChange = op === "TensorListSetItem" || op === "TensorListPushBack";
  const before = isChange && first !== undefined ? listOf(search, first, depth + 1) : undefined;
  if (before === undefined || "tensor" in before) return undefined;
  const { elements } = before;
  if (op === "TensorListPushBack") return elements.length < maxLength ? { elements: [...elements, second] } : undefined;
  const index = (second && scalarOf(second)) ?? -1;
  return index < 0 || index >= elements.length ? undefined : { elements: elements.with(index, third) };
}

function identity(node: Node, input: TensorRef, dtype: Attr): Node {
  return { ...node, op: "Identity", inputs: [input], attrs: { T: dtype } };
}

/** `x[index]` for an index that is known. */
function slice(graph: Graph, node: Node, tensor: TensorRef, index: number, dtype: Attr): readonly Node[] {
  const bounds = [index, index + 1, 1].map((value, place) => int32(graph, `${node.name}/bound_${place}`, [value]));
  const attrs: Node["attrs"] = { T: dtype, Index: { type: "DT_INT32" }, shrink_axis_mask: { i: 1n } };
  const inputs = [tensor, ...bounds.map(({ name }) => ({ node: name, output: 0 }))];
  return [...bounds, { ...node, op: "StridedSlice", inputs, attrs }];
}

/** `x[index]` for an index that the model computes. */
function gather(graph: Graph, node: Node, tensor: TensorRef, index: TensorRef, dtype: Attr): readonly Node[] {
  const axis = int32(graph, `${node.name}/axis`, null);
  const int: Attr = { type: "DT_INT32" };
  const attrs: Node["attrs"] = { Tparams: dtype, Tindices: int, Taxis: int, batch_dims: { i: 0n } };
  return [axis, { ...node, op: "GatherV2", inputs: [tensor, index, { node: axis.name, output: 0 }], attrs }];
}

/** A constant vector, or a scalar 0. */
function int32(graph: Graph, wanted: string, values: readonly number[] | null): Node {
  const name = freeName(wanted, (candidate) => graph.nodes.has(candidate));
  const data = new Uint8Array(Int32Array.from(values ?? [0]).buffer);
  return constant(name, { kind: "literal", dtype: "DT_INT32", shape: values === null ? [] : [values.length], data });
}
