import { elementCount } from "@nearside/core";
import { allNodes } from "../graph/all-nodes.ts";
import { arrangedValue, partingOps, partOfValue } from "../graph/arrange.ts";
import { compute, smallNumbers } from "../graph/compute.ts";
import { constant } from "../graph/constant.ts";
import type { DataType } from "../graph/data-type.ts";
import type { Attrs, Node, Pass, TensorValue } from "../graph/graph.ts";
import { int32List, literal } from "../graph/literal.ts";
import { firstOutput, type Rule, rule, type Surroundings } from "../graph/rule.ts";

/**
 * Makes constants of nodes whose value is known: those that take constants alone, and what follows from shapes that
 * are. A part of a constant that is taken apart becomes one for each node that takes it. Where one size of a reshape
 * isn't known, it becomes the −1 that stands for the rest.
 */
export const foldConstants: Pass = (graph) => {
  const folded = rule(foldNode)(graph);
  const isTakenApart = allNodes(folded).some(({ op }) => partingOps.has(op));
  return isTakenApart ? rule(foldNode)(rule(takeParts)(folded)) : folded;
};

const foldNode: Rule = (root, around) => {
  if (root.op === "Const" || around.isOutput(root.name)) return undefined;
  const value = constantValue(root, around) ?? knownValue(root, around);
  return value === undefined ? reshapeToKnown(root, around) : [constant(root.name, value)];
};

/** The node with constants for what it takes of constants that are taken apart. */
const takeParts: Rule = (root, around) => {
  const constants: Node[] = [];
  const inputs = root.inputs.map((input) => {
    const node = around.nodeOf(input);
    const operands = node && constantOperands(node, around);
    const value = node && operands && partOfValue(node, input.output, operands);
    if (value === undefined) return input;
    const part = constant(around.freeName(`${input.node}/part_${input.output}`), value);
    constants.push(part);
    return firstOutput(part);
  });
  return constants.length === 0 ? undefined : [...constants, { ...root, inputs }];
};

/** The value of a node that takes constants alone. */
function constantValue(node: Node, around: Surroundings): TensorValue | undefined {
  const operands = constantOperands(node, around);
  if (operands === undefined) return undefined;
  const value = values[node.op]?.(node, operands, around) ?? arrangedValue(node, operands);
  return value ?? (operands.length <= maxOperands ? compute(node.op, ...operands) : undefined);
}

const maxOperands = 16; // no elementwise op takes more; a damaged node may have more than the stack holds

/** What a node takes, where that is constants alone and none of them would then be there twice. */
function constantOperands(node: Node, around: Surroundings): readonly TensorValue[] | undefined {
  const operands: TensorValue[] = [];
  for (const input of node.inputs) {
    const operand = around.constantOf(input);
    if (operand === undefined) return undefined;
    operands.push(operand);
  }
  if (operands.length === 0) return undefined;
  const usesOf = (index: number) => around.usesOf(node.inputs[index]?.node ?? "");
  const isKept = operands.some(({ shape }, index) => elementCount(shape) > keptCount && usesOf(index) > 1);
  return isKept ? undefined : operands;
}

/** A constant of more elements that something else takes as well stays, as there would then be two of them. */
const keptCount = 4096;

type ValueRule = (node: Node, operands: readonly TensorValue[], around: Surroundings) => TensorValue | undefined;

/** The same elements in the shape that the node has. */
const reshaped: ValueRule = (node, [value], around) => {
  const shape = around.shapeOf(firstOutput(node));
  if (value === undefined || shape === null || !shape.every((size) => size !== null)) return undefined;
  return elementCount(shape) === elementCount(value.shape) ? { ...value, shape } : undefined;
};

const values: Readonly<Record<string, ValueRule>> = {
  Cast: ({ attrs: { DstT } }, [value]) => {
    const numbers = value && smallNumbers(value);
    if (value === undefined || numbers === undefined || DstT === undefined || !("type" in DstT)) return undefined;
    return literal(DstT.type, value.shape, DstT.type === "DT_FLOAT" ? numbers : numbers.map(Math.trunc));
  },
  ExpandDims: reshaped,
  Fill: (_, [sizes, value]) => {
    const [shape, number] = [sizes && smallNumbers(sizes), value && smallNumbers(value)?.[0]];
    if (value === undefined || shape === undefined || number === undefined) return undefined;
    const count = elementCount(shape);
    return count <= 1024 ? literal(value.dtype, shape, new Array<number>(count).fill(number)) : undefined;
  },
  Reshape: reshaped,
  Squeeze: reshaped,
};

/** A small list of integers (or one) that is known in full, though what it is computed from may not be. */
function knownValue(node: Node, around: Surroundings): TensorValue | undefined {
  const dtype = integerTypeOf(node);
  if (dtype === undefined) return undefined;
  const ref = firstOutput(node);
  const [known, shape] = [around.valuesOf(ref), around.shapeOf(ref)];
  if (known === undefined || shape === null) return undefined;
  if (!known.every((value) => value !== null) || !shape.every((size) => size !== null)) return undefined;
  return literal(dtype, shape, known);
}

/** x reshaped to [a, ?, c] = x reshaped to [a, −1, c] */
function reshapeToKnown(root: Node, around: Surroundings): readonly Node[] | undefined {
  const [x, target] = root.inputs;
  if (root.op !== "Reshape" || x === undefined || around.constantOf(target) !== undefined) return undefined;
  const sizes = around.valuesOf(target);
  if (sizes === undefined || sizes.filter((size) => size === null).length !== 1) return undefined;
  if (sizes.some((size) => size !== null && size < 1)) return undefined; // −1 twice, or 0, from which nothing follows
  const name = around.freeName(`${root.name}/shape`);
  const shape = constant(name, int32List(sizes.map((size) => size ?? -1)));
  const attrs: Attrs = { ...root.attrs, Tshape: { type: "DT_INT32" } };
  return [shape, { ...root, inputs: [x, firstOutput(shape)], attrs }];
}

/** The dtype of a node's first output, where it is one that shapes are computed in. */
function integerTypeOf({ op, attrs }: Node): DataType | undefined {
  const attr = attrs[typeAttrs[op] ?? "T"];
  const type = attr !== undefined && "type" in attr ? attr.type : undefined;
  if (type === undefined && (op === "Rank" || typeAttrs[op] === "out_type")) return "DT_INT32"; // TensorFlow's default
  return type === "DT_INT32" || type === "DT_INT64" ? type : undefined;
}

/** The attribute that has the dtype of what a node computes, where that isn't `T`. */
const typeAttrs: Readonly<Record<string, string>> = {
  Cast: "DstT",
  GatherV2: "Tparams",
  Rank: "",
  Shape: "out_type",
  Size: "out_type",
};
