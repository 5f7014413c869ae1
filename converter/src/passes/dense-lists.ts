import { constant } from "../graph/constant.ts";
import { functionAttrsOf, isBranch, isLoop } from "../graph/control-flow.ts";
import { freeName } from "../graph/free-name.ts";
import { functionNames } from "../graph/function-names.ts";
import type { Attrs, Body, Graph, Node, Pass, TensorRef } from "../graph/graph.ts";
import { int32List } from "../graph/literal.ts";

/**
 * Turns lists of tensors into tensors with the elements along a first axis, by ops that only our runtime has, where
 * lists are worked on within a branch, or within a loop or branch of a loop: TensorFlow.js loses their elements there.
 * Elsewhere its own lists do, which don't copy all elements when one is set.
 */
export const denseLists: Pass = (graph) => {
  const bodies = [graph, ...graph.functions.values()];
  const lists = bodies.flatMap(({ nodes }) => [...nodes.values()].filter(({ op }) => isListOp.test(op)));
  const isNested = [...graph.nodes.values()].some((node) => nestsLists(graph, node));
  if (!isNested || !lists.every(isConvertible)) return graph;
  return {
    ...graph,
    ...densify(graph),
    functions: new Map([...graph.functions].map(([name, body]) => [name, densify(body)])),
  };
};

const isListOp = /^(EmptyTensorList|TensorList)/;

/** True if the functions of a loop or branch, or functions within those, work on lists. */
export function usesLists(graph: Graph, node: Node, seen = new Set<string>()): boolean {
  return functionNames(node).some((name) => {
    const body = graph.functions.get(name);
    if (body === undefined || seen.has(name)) return false;
    seen.add(name);
    return [...body.nodes.values()].some((inner) => isListOp.test(inner.op) || usesLists(graph, inner, seen));
  });
}

/** True if lists are worked on where TensorFlow.js can't. */
export function nestsLists(graph: Graph, node: Node): boolean {
  if (isBranch(node)) return usesLists(graph, node);
  if (!isLoop(node)) return false;
  return functionNames(node).some((name) => {
    const inner = graph.functions.get(name)?.nodes.values() ?? [];
    return [...inner].some((each) => functionAttrsOf(each).length > 0 && usesLists(graph, each));
  });
}

/** The op of ours for each of TensorFlow's, with the same inputs. */
const denseOps: Readonly<Record<string, string>> = {
  EmptyTensorList: "NearsideListReserve",
  TensorListFromTensor: "Identity",
  TensorListGather: "NearsideListGather",
  TensorListGetItem: "NearsideListGet",
  TensorListLength: "NearsideListLength",
  TensorListPushBack: "NearsideListPush",
  TensorListReserve: "NearsideListReserve",
  TensorListSetItem: "NearsideListSet",
  TensorListStack: "NearsideListStack",
};

function isConvertible({ op, attrs: { element_dtype: type } }: Node): boolean {
  const isNumber = type === undefined || ("type" in type && !/STRING|COMPLEX|VARIANT|RESOURCE/.test(type.type));
  return isNumber && Object.hasOwn(denseOps, op);
}

function densify(body: Body): Body {
  const nodes = new Map<string, Node>();
  for (const node of body.nodes.values()) {
    const op = isListOp.test(node.op) ? denseOps[node.op] : undefined;
    let inputs: readonly TensorRef[] = node.inputs;
    if (node.op === "EmptyTensorList") {
      // It has room for a number of elements; ours begins with a number of them.
      const none = constant(
        freeName(`${node.name}/none`, (name) => body.nodes.has(name)),
        { ...int32List([0]), shape: [] },
      );
      nodes.set(none.name, none);
      inputs = [...node.inputs.slice(0, 1), { node: none.name, output: 0 }];
    }
    if (node.op === "TensorListFromTensor") inputs = node.inputs.slice(0, 1);
    const T = node.attrs.element_dtype ?? { type: "DT_FLOAT" };
    const attrs: Attrs = op === "Identity" ? { T } : { element_dtype: T };
    nodes.set(node.name, op === undefined ? node : { ...node, op, inputs, attrs });
  }
  return { ...body, nodes };
}
