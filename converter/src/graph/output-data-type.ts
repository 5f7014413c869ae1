import type { DataType } from "./data-type.ts";
import type { Body, Node, TensorRef } from "./graph.ts";

/**
 * The dtype of a tensor as far as its node's attributes tell, undefined where they don't. Only nodes say it, so this is
 * for graphs without a signature. All outputs of a node count as of one dtype, which holds for those a model returns.
 */
export function outputDataType({ nodes }: Body, { node: name }: TensorRef): DataType | undefined {
  const node = nodes.get(name);
  if (node === undefined) return undefined;
  if (node.value !== undefined) return node.value.dtype;
  const fixed = fixedTypes[node.op];
  if (fixed !== undefined) return fixed;
  for (const attr of typeAttrs) {
    const type = typeOf(node, attr);
    if (type !== undefined) return type;
  }
  return undefined;
}

/** Attributes with the dtype of what a node returns; the ones that win over `T`, that of its arguments, come first. */
const typeAttrs = ["DstT", "out_type", "output_type", "Tout", "dtype", "Tparams", "T"];

/** Ops whose (first) output has a dtype that no attribute says. */
const fixedTypes: Readonly<Record<string, DataType>> = {
  All: "DT_BOOL",
  Any: "DT_BOOL",
  Equal: "DT_BOOL",
  Greater: "DT_BOOL",
  GreaterEqual: "DT_BOOL",
  IsFinite: "DT_BOOL",
  IsInf: "DT_BOOL",
  IsNan: "DT_BOOL",
  Less: "DT_BOOL",
  LessEqual: "DT_BOOL",
  LogicalAnd: "DT_BOOL",
  LogicalNot: "DT_BOOL",
  LogicalOr: "DT_BOOL",
  NonMaxSuppressionV3: "DT_INT32",
  NotEqual: "DT_BOOL",
  Rank: "DT_INT32",
  Where: "DT_INT64",
};

/** Types that ops have where they say none: TensorFlow leaves defaults out of its files. */
const defaultTypes: Readonly<Record<string, DataType>> = {
  "ArgMax output_type": "DT_INT64",
  "ArgMin output_type": "DT_INT64",
  "Shape out_type": "DT_INT32",
  "Size out_type": "DT_INT32",
};

function typeOf({ op, attrs }: Node, name: string): DataType | undefined {
  const attr = attrs[name];
  if (attr === undefined) return defaultTypes[`${op} ${name}`];
  if ("type" in attr) return attr.type;
  return undefined;
}
