import type { Body, Node, TensorRef } from "./graph.ts";
import { sourcesIn } from "./source-of.ts";

/** Tells the whole number (or truth value, as 0 or 1) that a scalar always is; undefined where that can't be told. */
export type ScalarOf = (ref: TensorRef) => number | undefined;

/**
 * The scalars of a body that are known before the model runs. `given` holds what is known from elsewhere, such as a
 * loop's state: scalars by the names of the nodes whose first output they are, undefined for one that isn't known.
 */
export function knownScalars(body: Body, given: ReadonlyMap<string, number | undefined> = new Map()): ScalarOf {
  const search: Search = { body, known: new Map(given), sourceOf: sourcesIn(body) };
  return (ref) => find(search, ref, 0);
}

interface Search {
  readonly body: Body;
  /** What was found; undefined for what can't be told. */
  readonly known: Map<string, number | undefined>;
  sourceOf(ref: TensorRef): TensorRef;
}

function find(search: Search, ref: TensorRef, depth: number): number | undefined {
  const { body, known, sourceOf } = search;
  const { node: name, output } = sourceOf(ref);
  const node = body.nodes.get(name);
  if (node === undefined || output !== 0 || depth > maxDepth) return undefined;
  if (known.has(name)) return known.get(name);
  const value = scalarOf(search, node, depth + 1);
  const whole = value !== undefined && value === (value | 0) ? value : undefined; // beyond int32 it would wrap around
  known.set(name, whole);
  return whole;
}

/** Longer chains of arithmetic than any model's counters; they would use up the stack. */
const maxDepth = 1000;

function scalarOf(search: Search, node: Node, depth: number): number | undefined {
  if (node.op === "Const") return constantScalar(node);
  if (node.op === "PlaceholderWithDefault") {
    const isFed = search.body.inputs.some(({ tensor }) => tensor.node === node.name);
    const [otherwise] = node.inputs;
    return isFed || otherwise === undefined ? undefined : find(search, otherwise, depth);
  }
  if (node.op === "StridedSlice") return slicedDimension(search, node, depth);
  const operation = operations[node.op];
  if (operation === undefined || isCastFromNumber(node)) return undefined;
  const operands = node.inputs.slice(0, operation.length); // of a damaged node there may be thousands
  const [a = Number.NaN, b = Number.NaN] = operands.map((input) => find(search, input, depth));
  return operation(a, b);
}

/** NaN stands for what isn't known: what comes of it isn't a whole number, except where the other operand decides. */
const operations: Readonly<Record<string, (a: number, b: number) => number | undefined>> = {
  Add: (a, b) => a + b,
  AddV2: (a, b) => a + b,
  Cast: (a) => a,
  Equal: (a, b) => compare(a, b, a === b),
  FloorDiv: (a, b) => Math.floor(a / b),
  Greater: (a, b) => compare(a, b, a > b),
  GreaterEqual: (a, b) => compare(a, b, a >= b),
  Less: (a, b) => compare(a, b, a < b),
  LessEqual: (a, b) => compare(a, b, a <= b),
  LogicalAnd: (a, b) => (a === 0 || b === 0 ? 0 : compare(a, b, true)),
  LogicalNot: (a) => compare(a, a, a === 0),
  LogicalOr: (a, b) => (a === 1 || b === 1 ? 1 : compare(a, b, false)),
  Max: (a) => a, // of a scalar, along whatever axes it may have
  Maximum: (a, b) => Math.max(a, b),
  Min: (a) => a,
  Minimum: (a, b) => Math.min(a, b),
  Mul: (a, b) => a * b,
  Neg: (a) => -a,
  NotEqual: (a, b) => compare(a, b, a !== b),
  Sub: (a, b) => a - b,
};

/** True for a cast that makes 1 of any number but 0. */
function isCastFromNumber({ op, attrs }: Node): boolean {
  return op === "Cast" && attrs.DstT !== undefined && "type" in attrs.DstT && attrs.DstT.type === "DT_BOOL";
}

function compare(a: number, b: number, result: boolean): number | undefined {
  return Number.isNaN(a) || Number.isNaN(b) ? undefined : Number(result);
}

function constantScalar({ value }: Node): number | undefined {
  return value?.shape.length === 0 ? integersOf(value)?.[0] : undefined;
}

/** The elements of a constant of whole numbers or truth values. */
export function integersOf(value: Node["value"]): readonly number[] | undefined {
  if (value?.kind !== "literal" || !(value.data instanceof Uint8Array)) return undefined;
  const bytes = new Uint8Array(value.data); // a copy, so that elements lie at multiples of their size
  if (value.dtype === "DT_INT32") return [...new Int32Array(bytes.buffer)];
  if (value.dtype === "DT_INT64") return [...new BigInt64Array(bytes.buffer)].map(Number);
  return value.dtype === "DT_BOOL" ? [...bytes] : undefined;
}

/** `Shape(x)[i]` where that dimension of x is the same for every input. */
function slicedDimension(search: Search, { inputs, attrs }: Node, depth: number): number | undefined {
  const [shape, begin] = inputs.map((input) => sourceNode(search, input));
  const index = integersOf(begin?.value);
  const mask = attrs.shrink_axis_mask;
  const [of] = shape?.inputs ?? [];
  const isElement = index?.length === 1 && mask !== undefined && "i" in mask && mask.i === 1n;
  if (shape?.op !== "Shape" || of === undefined || !isElement) return undefined;
  return dimensionOf(search, of, index[0] ?? 0, depth);
}

function sourceNode({ body, sourceOf }: Search, ref: TensorRef): Node | undefined {
  return body.nodes.get(sourceOf(ref).node);
}

/** One dimension of a tensor, as far as declared shapes and transpositions tell. */
function dimensionOf(search: Search, ref: TensorRef, axis: number, depth: number): number | undefined {
  const node = sourceNode(search, ref);
  const [input, second] = node?.inputs ?? [];
  if (node === undefined || depth > maxDepth || axis < 0) return undefined;
  if (node.op === "Placeholder") {
    const { shape } = node.attrs;
    return shape !== undefined && "shape" in shape ? (shape.shape?.[axis] ?? undefined) : undefined;
  }
  if (input === undefined) return undefined;
  if (node.op === "Transpose" && second !== undefined) {
    const from = integersOf(sourceNode(search, second)?.value)?.[axis];
    return from === undefined ? undefined : dimensionOf(search, input, from, depth + 1);
  }
  if (node.op === "TensorListStack" && axis === 0) {
    const { num_elements: count } = node.attrs;
    if (count !== undefined && "i" in count && count.i >= 0n) return Number(count.i);
    return listLength(search, input, depth + 1);
  }
  return sameShapeOps.has(node.op) ? dimensionOf(search, input, axis, depth + 1) : undefined;
}

/** How many elements a list has that was reserved for so many, then filled one by one. */
function listLength(search: Search, list: TensorRef, depth: number): number | undefined {
  let node = sourceNode(search, list);
  for (let step = 0; node?.op === "TensorListSetItem" && step <= search.body.nodes.size; step++) {
    const [before] = node.inputs;
    node = before && sourceNode(search, before);
  }
  const count = node?.op === "TensorListReserve" ? node.inputs[1] : undefined;
  return count && find(search, count, depth);
}

/** Ops whose result has the shape of their first input. */
const sameShapeOps: ReadonlySet<string> = new Set(["BiasAdd", "Cast", "Relu", "Sigmoid", "Softmax", "Tanh"]);
