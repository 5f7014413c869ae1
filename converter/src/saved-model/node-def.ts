import { damaged } from "../damaged.ts";
import { dataTypeFromNumber } from "../graph/data-type.ts";
import type { Attr, AttrList, Attrs, FunctionRef, Node, TensorRef } from "../graph/graph.ts";
import type { FillBudget } from "./fill-budget.ts";
import type { LazyProto, Proto } from "./messages.ts";
import { shapeFromProto } from "./shape.ts";
import { literalFromProto } from "./tensor-proto.ts";

/** What is to be known of the graph or function that a node is in. */
interface NodeContext {
  /** The node's name, as those who take something of it have it. */
  readonly name: string;
  /** Reads a tensor that a node takes. */
  readonly parse: (text: string) => TensorRef;
  readonly where: string;
  readonly budget: FillBudget;
}

/** A node as the graph has it. */
export function nodeFromProto(
  { op, input, attr }: Proto<"NodeDef">,
  { name, parse, where: graphWhere, budget }: NodeContext,
): Node {
  const where = `${graphWhere}, node "${name}"`;
  // Tables of ops have these as members, too: as an op, one would be found in each of them.
  if (op in Object.prototype) throw damaged(where, "an op", JSON.stringify(op));
  const inputs: TensorRef[] = [];
  const controls: string[] = [];
  for (const text of input) {
    if (text.startsWith("^")) controls.push(text.slice(1));
    else inputs.push(parse(text));
  }
  const attrs = attrsFromProto(attr, where, budget);
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
function attrsFromProto(attrs: readonly LazyProto[], where: string, budget: FillBudget): Attrs {
  const entries: [string, Attr][] = [];
  for (const decode of attrs) {
    const { key } = decode("AttrKey");
    const { value } = key.startsWith("_") ? {} : decode("AttrEntry");
    const attr = value && attrFromProto(value, where, budget);
    if (attr !== undefined) entries.push([key, attr]);
  }
  return Object.fromEntries(entries);
}

function attrFromProto(attr: Proto<"AttrValue">, where: string, budget: FillBudget): Attr | undefined {
  if (attr.s !== undefined) return { s: attr.s };
  if (attr.i !== undefined) return { i: attr.i };
  if (attr.f !== undefined) return { f: attr.f };
  if (attr.b !== undefined) return { b: attr.b };
  if (attr.type !== undefined) return { type: dataTypeFromNumber(attr.type) };
  if (attr.shape !== undefined) return { shape: shapeFromProto(attr.shape) };
  if (attr.placeholder !== undefined) return { placeholder: attr.placeholder };
  if (attr.func !== undefined) return { func: functionRefFromProto(attr.func, where, budget) };
  if (attr.list !== undefined) return { list: listFromProto(attr.list, where, budget) };
  const tensor = attr.tensor === undefined ? undefined : literalFromProto(attr.tensor, where, budget);
  return tensor === undefined ? undefined : { tensor };
}

function listFromProto(list: Proto<"ListValue">, where: string, budget: FillBudget): AttrList {
  if (list.s.length > 0) return { s: list.s };
  if (list.i.length > 0) return { i: list.i };
  if (list.f.length > 0) return { f: list.f };
  if (list.b.length > 0) return { b: list.b };
  if (list.type.length > 0) return { type: list.type.map(dataTypeFromNumber) };
  if (list.shape.length > 0) return { shape: list.shape.map(shapeFromProto) };
  if (list.func.length > 0) return { func: list.func.map((func) => functionRefFromProto(func, where, budget)) };
  return {};
}

function functionRefFromProto({ name, attr }: Proto<"NameAttrList">, where: string, budget: FillBudget): FunctionRef {
  return { name, attrs: attrsFromProto(attr, where, budget) };
}
