import { elementCount } from "@nearside/core";
import { smallNumbers } from "./compute.ts";
import { elementwise } from "./elementwise.ts";
import type { Node, Shape, TensorRef, TensorValue } from "./graph.ts";
import { slicePlaces } from "./strided-slice.ts";

/** The elements of a small integer tensor, `null` where one is unknown; `undefined` where nothing is known. */
export type KnownValues = readonly (number | null)[] | undefined;

/** What is known of the tensors around a node. */
export interface Facts {
  constantOf(ref: TensorRef | undefined): TensorValue | undefined;
  shapeOf(ref: TensorRef | undefined): Shape;
  /** The elements of a scalar or a list of integers, such as another tensor's shape. */
  valuesOf(ref: TensorRef | undefined): KnownValues;
}

/** What is known of the elements that a node computes. */
export function knownValues(node: Node, facts: Facts): KnownValues {
  const known = rules[node.op]?.(node, facts) ?? elementwiseValues(node, facts);
  return known !== undefined && known.length <= maxLength ? known : undefined;
}

/** Whether anything can be known of what a node computes, whatever it takes. */
export function hasKnownValues({ op }: Node): boolean {
  return rules[op] !== undefined || integerOps.has(op);
}

const maxLength = 64; // shapes, permutations, axes: nothing longer is worth following

const rules: Readonly<Record<string, (node: Node, facts: Facts) => KnownValues>> = {
  Const: ({ value }) => (value === undefined || !isInteger(value) ? undefined : smallNumbers(value)),
  Shape: ({ inputs }, { shapeOf }) => shapeOf(inputs[0]) ?? undefined,
  Rank: ({ inputs }, { shapeOf }) => {
    const shape = shapeOf(inputs[0]);
    return shape === null ? undefined : [shape.length];
  },
  Size: ({ inputs }, { shapeOf }) => product(shapeOf(inputs[0]) ?? undefined),
  Cast: ({ inputs, attrs: { DstT, SrcT } }, { valuesOf }) => {
    const integers = [DstT, SrcT].every((attr) => attr !== undefined && "type" in attr && integerTypes.has(attr.type));
    return integers ? valuesOf(inputs[0]) : undefined;
  },
  Identity: ({ inputs }, { valuesOf }) => valuesOf(inputs[0]),
  Reshape: ({ inputs }, { valuesOf }) => valuesOf(inputs[0]),
  Squeeze: ({ inputs }, { valuesOf }) => valuesOf(inputs[0]),
  ExpandDims: ({ inputs }, { valuesOf }) => valuesOf(inputs[0]),
  Prod: ({ inputs, attrs: { T } }, { shapeOf, valuesOf }) => {
    const isList = shapeOf(inputs[0])?.length === 1 && T !== undefined && "type" in T && integerTypes.has(T.type);
    return isList && valuesOf(inputs[1])?.length === 1 ? product(valuesOf(inputs[0])) : undefined;
  },
  Pack: ({ inputs }, { valuesOf, shapeOf }) => {
    if (inputs.some((input) => shapeOf(input)?.length !== 0)) return undefined;
    return joined(inputs.map((input) => valuesOf(input)));
  },
  ConcatV2: ({ inputs }, { valuesOf, shapeOf }) => {
    const lists = inputs.slice(0, -1);
    if (lists.some((list) => shapeOf(list)?.length !== 1)) return undefined;
    return joined(lists.map((list) => valuesOf(list)));
  },
  GatherV2: ({ inputs }, { valuesOf, shapeOf }) => {
    const [list, places] = [valuesOf(inputs[0]), valuesOf(inputs[1])];
    if (shapeOf(inputs[0])?.length !== 1 || (shapeOf(inputs[1])?.length ?? 2) > 1) return undefined;
    if (list === undefined || places === undefined || places.some((at) => at === null || at < 0)) return undefined;
    return places.map((at) => list[at ?? 0] ?? null);
  },
  StridedSlice: (node, { valuesOf, shapeOf }) => {
    const list = valuesOf(node.inputs[0]);
    if (list === undefined || shapeOf(node.inputs[0])?.length !== 1) return undefined;
    const [begin, end, strides] = node.inputs.slice(1).map((input) => valuesOf(input));
    const [range] = slicePlaces(node, [list.length], begin, end, strides) ?? [];
    if (range?.kind === "dropped" && range.place !== null) return [list[range.place] ?? null];
    if (range?.kind !== "range" || range.places === null) return undefined;
    const { first, step, count } = range.places;
    return Array.from({ length: count }, (_, index) => list[first + index * step] ?? null);
  },
};

function elementwiseValues({ op, inputs }: Node, { valuesOf }: Facts): KnownValues {
  if (!integerOps.has(op)) return undefined;
  const compute = elementwise[op];
  // Of two operands, the second one unknown isn't the same as none.
  const [a, b] = [inputs[0], inputs[1] ?? inputs[0]].map((input) => valuesOf(input));
  if (compute === undefined || a === undefined || b === undefined) return undefined;
  if (a.length !== b.length && a.length !== 1 && b.length !== 1) return undefined;
  return Array.from({ length: Math.max(a.length, b.length) }, (_, at) => {
    const [left, right] = [a[a.length === 1 ? 0 : at] ?? null, b[b.length === 1 ? 0 : at] ?? null];
    const result = left === null || right === null ? null : compute(left, right);
    return Number.isInteger(result) ? result : null;
  });
}

const integerOps: ReadonlySet<string> = new Set("Add AddV2 FloorDiv FloorMod Maximum Minimum Mul Neg Sub".split(" "));
const integerTypes: ReadonlySet<string> = new Set(["DT_INT32", "DT_INT64"]);

function isInteger({ dtype, shape }: TensorValue): boolean {
  return integerTypes.has(dtype) && shape.length <= 1 && elementCount(shape) <= maxLength;
}

function product(values: KnownValues): KnownValues {
  return values && [values.reduce((result, value) => (result === null || value === null ? null : result * value), 1)];
}

function joined(parts: readonly KnownValues[]): KnownValues {
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
}
