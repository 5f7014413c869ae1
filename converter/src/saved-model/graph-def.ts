import { damaged } from "../damaged.ts";
import { dataTypeFromNumber } from "../graph/data-type.ts";
import type { Attr, AttrList, Attrs, Body, FunctionRef, Node, Port, TensorRef } from "../graph/graph.ts";
import { outputOffset } from "../ops.ts";
import type { Proto } from "./messages.ts";
import { shapeFromProto } from "./shape.ts";
import { literalFromProto } from "./tensor-proto.ts";

/** The nodes of a GraphDef, by name. */
export function nodesFromProto(nodes: readonly Proto<"NodeDef">[], where: string): ReadonlyMap<string, Node> {
  return indexNodes(
    nodes.map((node) => nodeFromProto(node, parseTensorName, where)),
    where,
  );
}

/** The functions of a GraphDef, by name. Their arguments become `Placeholder` nodes, their results output ports. */
export function functionsFromProto(
  functions: readonly Proto<"FunctionDef">[],
  where: string,
): ReadonlyMap<string, Body> {
  const outputNames = new Map(
    functions.map(({ signature }) => [signature?.name ?? "", signature?.outputArg.map(({ name }) => name) ?? []]),
  );
  return new Map(functions.map((proto) => [proto.signature?.name ?? "", functionFromProto(proto, outputNames, where)]));
}

/** A tensor as GraphDefs and signatures name it: `name`, or `name:1` for a second output. */
export function parseTensorName(text: string): TensorRef {
  const colon = text.lastIndexOf(":");
  if (colon < 0 || !/^\d+$/.test(text.slice(colon + 1))) return { node: text, output: 0 };
  return { node: text.slice(0, colon), output: Number(text.slice(colon + 1)) };
}

function functionFromProto(
  { signature, nodeDef, ret, controlRet }: Proto<"FunctionDef">,
  outputNames: ReadonlyMap<string, readonly string[]>,
  graphWhere: string,
): Body {
  const where = `${graphWhere}, function ${signature?.name}`;
  const protos = new Map(nodeDef.map((node) => [node.name, node]));
  /** In a function, `name:list:1` is the second tensor of the node's output `list`; an argument is just `name`. */
  const parse = (text: string): TensorRef => {
    const [node = "", list, index] = text.split(":");
    if (list === undefined) return { node, output: 0 };
    const { op = "", attr } = protos.get(node) ?? {};
    const called = outputNames.get(op);
    const lengthOf = (name: string) => countOf(attr?.get(name));
    const offset = called === undefined ? outputOffset(op, list, lengthOf) : Math.max(0, called.indexOf(list));
    return { node, output: offset + Number(index ?? 0) };
  };
  const inputs: Port[] = (signature?.inputArg ?? []).map(({ name, type }) => ({
    key: name,
    tensor: { node: name, output: 0 },
    dtype: dataTypeFromNumber(type),
    shape: null,
  }));
  const outputs: Port[] = (signature?.outputArg ?? []).map(({ name, type }) => {
    const tensor = ret.get(name);
    if (tensor === undefined) throw damaged(where, `a result for "${name}"`, "none");
    return { key: name, tensor: parse(tensor), dtype: dataTypeFromNumber(type), shape: null };
  });
  const nodes = nodeDef.map((node) => nodeFromProto(node, parse, where));
  return {
    nodes: indexNodes([...inputs.map(placeholder), ...nodes], where),
    inputs,
    outputs,
    controls: [...controlRet.values()],
  };
}

/** The number that an attribute is, or how many types it lists. */
function countOf(attr: Proto<"AttrValue"> | undefined): number {
  return attr?.i === undefined ? (attr?.list?.type.length ?? 0) : Number(attr.i);
}

/** The node that an input port is fed through. */
export function placeholder({ tensor, dtype, shape }: Port): Node {
  const attrs = { dtype: { type: dtype }, shape: { shape } };
  return { name: tensor.node, op: "Placeholder", inputs: [], controls: [], attrs };
}

function nodeFromProto(proto: Proto<"NodeDef">, parse: (text: string) => TensorRef, graphWhere: string): Node {
  const { name, op } = proto;
  const where = `${graphWhere}, node "${name}"`;
  // Tables of ops have these as members, too: as an op, one would be found in each of them.
  if (op in Object.prototype) throw damaged(where, "an op", JSON.stringify(op));
  const inputs = proto.input.filter((input) => !input.startsWith("^")).map(parse);
  const controls = proto.input.filter((input) => input.startsWith("^")).map((input) => input.slice(1));
  const value = op === "Const" ? proto.attr.get("value")?.tensor : undefined;
  const attrs = attrsFromProto(proto.attr, where);
  if (value === undefined) return { name, op, inputs, controls, attrs };
  const { value: _, ...rest } = attrs;
  const literal = literalFromProto(value, where);
  return { name, op, inputs, controls, attrs: rest, ...(literal === undefined ? {} : { value: literal }) };
}

function attrsFromProto(attrs: ReadonlyMap<string, Proto<"AttrValue">>, where: string): Attrs {
  const entries = [...attrs].map(([name, attr]) => [name, attrFromProto(attr, where)] as const);
  return Object.fromEntries(entries.filter((entry): entry is readonly [string, Attr] => entry[1] !== undefined));
}

function attrFromProto(attr: Proto<"AttrValue">, where: string): Attr | undefined {
  if (attr.s !== undefined) return { s: attr.s };
  if (attr.i !== undefined) return { i: attr.i };
  if (attr.f !== undefined) return { f: attr.f };
  if (attr.b !== undefined) return { b: attr.b };
  if (attr.type !== undefined) return { type: dataTypeFromNumber(attr.type) };
  if (attr.shape !== undefined) return { shape: shapeFromProto(attr.shape) };
  if (attr.placeholder !== undefined) return { placeholder: attr.placeholder };
  if (attr.func !== undefined) return { func: functionRefFromProto(attr.func, where) };
  if (attr.list !== undefined) return { list: listFromProto(attr.list, where) };
  const tensor = attr.tensor === undefined ? undefined : literalFromProto(attr.tensor, where);
  return tensor === undefined ? undefined : { tensor };
}

function listFromProto(list: Proto<"ListValue">, where: string): AttrList {
  if (list.s.length > 0) return { s: list.s };
  if (list.i.length > 0) return { i: list.i };
  if (list.f.length > 0) return { f: list.f };
  if (list.b.length > 0) return { b: list.b };
  if (list.type.length > 0) return { type: list.type.map(dataTypeFromNumber) };
  if (list.shape.length > 0) return { shape: list.shape.map(shapeFromProto) };
  if (list.func.length > 0) return { func: list.func.map((func) => functionRefFromProto(func, where)) };
  return {};
}

function functionRefFromProto({ name, attr }: Proto<"NameAttrList">, where: string): FunctionRef {
  return { name, attrs: attrsFromProto(attr, where) };
}

/** Nodes by name; every name must be there once, and every node that another one takes from must exist. */
function indexNodes(nodes: readonly Node[], where: string): ReadonlyMap<string, Node> {
  const index = new Map<string, Node>();
  for (const node of nodes) {
    if (index.has(node.name)) throw damaged(where, `one node "${node.name}"`, "two");
    index.set(node.name, node);
  }
  for (const { name, inputs, controls } of nodes) {
    const missing = [...inputs.map(({ node }) => node), ...controls].find((input) => !index.has(input));
    if (missing !== undefined) throw damaged(`${where}, node "${name}"`, `an input node "${missing}"`, "none");
  }
  return index;
}
