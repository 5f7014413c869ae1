import { dataTypeFromNumber } from "../graph/data-type.ts";
import type { Attr, AttrList, Attrs, FunctionRef, Node, TensorRef } from "../graph/graph.ts";
import type { Proto } from "./messages.ts";
import { shapeFromProto } from "./shape.ts";
import { literalFromProto } from "./tensor-proto.ts";

/** A node as the graph has it; `parse` reads the tensors that it takes. */
export function nodeFromProto(proto: Proto<"NodeDef">, parse: (text: string) => TensorRef, graphWhere: string): Node {
  const { name, op } = proto;
  const where = `${graphWhere}, node "${name}"`;
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
