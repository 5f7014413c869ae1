import { dataTypeFromNumber } from "../graph/data-type.ts";
import type { Attr, AttrList, Attrs, FunctionRef, Node, TensorRef } from "../graph/graph.ts";
import type { LazyProto, Proto } from "./messages.ts";
import { shapeFromProto } from "./shape.ts";
import { literalFromProto } from "./tensor-proto.ts";

/** A node as the graph has it; `parse` reads the tensors that it takes. */
export function nodeFromProto(
  { name, op, input, attr }: Proto<"NodeDef">,
  parse: (text: string) => TensorRef,
  graphWhere: string,
): Node {
  const where = `${graphWhere}, node "${name}"`;
  const inputs: TensorRef[] = [];
  const controls: string[] = [];
  for (const text of input) {
    if (text.startsWith("^")) controls.push(text.slice(1));
    else inputs.push(parse(text));
  }
  const attrs = attrsFromProto(attr, where);
  if (op !== "Const" || attrs.value === undefined || !("tensor" in attrs.value)) {
    return { name, op, inputs, controls, attrs };
  }
  const { value, ...rest } = attrs;
  return { name, op, inputs, controls, attrs: rest, value: value.tensor };
}

/** The attribute called `name`, without decoding the others. */
export function attrNamed({ attr }: Proto<"NodeDef">, name: string): Proto<"AttrValue"> | undefined {
  return attr.findLast((decode) => decode("AttrKey").key === name)?.("AttrEntry").value;
}

/** Attributes but for TensorFlow's own notes: placement, origin, the shapes that it once inferred. */
function attrsFromProto(attrs: readonly LazyProto[], where: string): Attrs {
  const entries: [string, Attr][] = [];
  for (const decode of attrs) {
    const { key } = decode("AttrKey");
    const { value } = key.startsWith("_") ? {} : decode("AttrEntry");
    const attr = value && attrFromProto(value, where);
    if (attr !== undefined) entries.push([key, attr]);
  }
  return Object.fromEntries(entries);
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
