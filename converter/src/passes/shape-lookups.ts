import { freeName } from "../graph/free-name.ts";
import type { Attr, Body, Node, Pass, TensorRef } from "../graph/graph.ts";
import { replaceNodes } from "../graph/map-nodes.ts";
import { sourceOf } from "../graph/source-of.ts";

/**
 * Gives what is looked up in a table the shape of the keys: find(table, keys) = reshape(find(table, keys), shape(keys)).
 * TensorFlow.js returns a vector whatever shape the keys have; for a vector of keys nothing is added.
 */
export const shapeLookups: Pass = (graph) => replaceNodes(graph, (node) => shapeLookup(graph, node));

function shapeLookup(body: Body, node: Node): readonly Node[] | undefined {
  const keys = node.inputs[1];
  if (!/^LookupTableFind/.test(node.op) || keys === undefined || isVector(body, keys)) return undefined;
  const free = (wanted: string) => freeName(wanted, (name) => body.nodes.has(name));
  const string: Attr = { type: "DT_STRING" };
  const int32: Attr = { type: "DT_INT32" };
  const { Tin = string, Tout = string } = node.attrs;
  const found: Node = { ...node, name: free(`${node.name}/found`) };
  const shape: Node = {
    name: free(`${node.name}/shape`),
    op: "Shape",
    inputs: [keys],
    controls: [],
    attrs: { T: Tin, out_type: int32 },
  };
  const inputs = [found, shape].map(({ name }) => ({ node: name, output: 0 }));
  return [found, shape, { ...node, op: "Reshape", inputs, controls: [], attrs: { T: Tout, Tshape: int32 } }];
}

function isVector(body: Body, ref: TensorRef): boolean {
  const node = body.nodes.get(sourceOf(body, ref).node);
  const shape = node?.op === "Placeholder" ? node.attrs.shape : undefined;
  return shape !== undefined && "shape" in shape && shape.shape?.length === 1;
}
