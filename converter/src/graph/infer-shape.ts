import { integerAttr, integersAttr, isChannelsLast, isTrue, textAttr } from "./attr-values.ts";
import { smallNumbers } from "./compute.ts";
import type { Node, Shape } from "./graph.ts";
import type { Facts } from "./known-values.ts";
import { type SliceOfAxis, slicePlaces } from "./strided-slice.ts";

/** The shape of a node's first output, as far as it follows from its inputs. */
export function inferShape(node: Node, facts: Facts): Shape {
  return rules[node.op]?.(node, facts) ?? null;
}

type Rule = (node: Node, facts: Facts) => Shape;

const sameAsInput: Rule = ({ inputs }, { shapeOf }) => shapeOf(inputs[0]);

const broadcast: Rule = ({ inputs }, { shapeOf }) => broadcastShape(inputs.map((input) => shapeOf(input)));

function broadcastShape(shapes: readonly Shape[]): Shape {
  if (!shapes.every((shape) => shape !== null)) return null;
  const [first] = shapes;
  if (first !== undefined && shapes.every((shape) => isSame(shape, first))) return first;
  const rank = Math.max(...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length]).filter((size) => size !== undefined);
    const known = sizes.find((size) => size !== null && size !== 1);
    return known ?? (sizes.includes(null) ? null : 1);
  });
}

function isSame(a: Shape & {}, b: Shape & {}): boolean {
  return a === b || (a.length === b.length && a.every((size, axis) => size === b[axis]));
}

const reduce: Rule = (node, { shapeOf, valuesOf }) => {
  const [shape, axes] = [shapeOf(node.inputs[0]), valuesOf(node.inputs[1])];
  if (shape === null || axes === undefined || axes.includes(null)) return null;
  const reduced = new Set(axes.map((axis) => fromEnd(axis ?? 0, shape.length)));
  if (isTrue(node, "keep_dims")) return shape.map((size, axis) => (reduced.has(axis) ? 1 : size));
  return shape.filter((_, axis) => !reduced.has(axis));
};

/** A window that slides over the height and width of NHWC: a filter's, or a pool's. */
function slide(node: Node, shape: Shape, window: readonly number[], channels: number | null): Shape {
  if (!isChannelsLast(node)) return null;
  if (shape?.length !== 4) return [null, null, null, channels];
  const [strides, dilations] = [integersAttr(node, "strides"), integersAttr(node, "dilations")];
  const padding = textAttr(node, "padding");
  const explicit = integersAttr(node, "explicit_paddings");
  const sizes = [1, 2].map((axis) => {
    const [size, stride, dilation] = [shape[axis] ?? null, strides[axis] ?? 1, dilations[axis] ?? 1];
    if (size === null) return null;
    if (padding === "SAME") return Math.ceil(size / stride);
    const padded = size + (padding === "EXPLICIT" ? (explicit[2 * axis] ?? 0) + (explicit[2 * axis + 1] ?? 0) : 0);
    return Math.ceil((padded - ((window[axis - 1] ?? 1) - 1) * dilation) / stride);
  });
  return [shape[0] ?? null, ...sizes, channels];
}

const convolve: Rule = (node, { shapeOf }) => {
  const filter = shapeOf(node.inputs[1]);
  if (filter?.length !== 4 || filter.includes(null)) return null;
  const [height = 1, width = 1, inChannels = 1, out = 1] = filter.map(Number);
  const channels = node.op.includes("Depthwise") ? inChannels * out : out;
  return slide(node, shapeOf(node.inputs[0]), [height, width], channels);
};

const pool: Rule = (node, { shapeOf }) => {
  const shape = shapeOf(node.inputs[0]);
  return slide(node, shape, integersAttr(node, "ksize").slice(1, 3), shape?.at(-1) ?? null);
};

const multiply: Rule = (node, { shapeOf }) => {
  const [a, b] = [shapeOf(node.inputs[0]), shapeOf(node.inputs[1])];
  if (a?.length !== 2 || b?.length !== 2) return null;
  return [a[isTrue(node, "transpose_a") ? 1 : 0] ?? null, b[isTrue(node, "transpose_b") ? 0 : 1] ?? null];
};

const pad: Rule = ({ inputs }, { shapeOf, constantOf }) => {
  const [shape, paddings] = [shapeOf(inputs[0]), constantOf(inputs[1])];
  const amounts = paddings === undefined ? undefined : smallNumbers(paddings);
  if (shape === null || amounts === undefined) return null;
  return shape.map((size, axis) => (size === null ? null : size + sum(amounts.slice(2 * axis, 2 * axis + 2))));
};

const multiplyBatches: Rule = (node, { shapeOf }) => {
  const [a, b] = [shapeOf(node.inputs[0]), shapeOf(node.inputs[1])];
  const batch = broadcastShape([a?.slice(0, -2) ?? null, b?.slice(0, -2) ?? null]);
  if (a === null || b === null || a.length < 2 || b.length < 2 || batch === null) return null;
  const rows = a.at(isTrue(node, "adj_x") ? -1 : -2) ?? null;
  const columns = b.at(isTrue(node, "adj_y") ? -2 : -1) ?? null;
  return [...batch, rows, columns];
};

const einsum: Rule = (node, { shapeOf }) => {
  const [inputs = "", output] = textAttr(node, "equation").replaceAll(" ", "").split("->");
  if (output === undefined || inputs.includes(".")) return null;
  const sizes = new Map<string, number | null>();
  for (const [index, axes] of inputs.split(",").entries()) {
    const shape = shapeOf(node.inputs[index]);
    for (const [axis, letter] of [...axes].entries()) sizes.set(letter, sizes.get(letter) ?? shape?.[axis] ?? null);
  }
  return [...output].map((letter) => sizes.get(letter) ?? null);
};

const resizeTo: Rule = ({ inputs }, { shapeOf, valuesOf }) => {
  const [shape, sizes] = [shapeOf(inputs[0]), valuesOf(inputs[1])];
  if (shape?.length !== 4 || sizes?.length !== 2) return null;
  return [shape[0] ?? null, ...sizes, shape[3] ?? null];
};

/** Blocks of channels become pixels. */
const depthToSpace: Rule = (node, { shapeOf }) => {
  const [shape, block] = [shapeOf(node.inputs[0]), integerAttr(node, "block_size")];
  if (shape?.length !== 4 || block < 1 || !isChannelsLast(node)) return null;
  const times = (size: number | null | undefined, factor: number) => (size == null ? null : size * factor);
  const [batch = null, height, width, channels] = shape;
  return [batch, times(height, block), times(width, block), times(channels, 1 / (block * block))];
};

const rules: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(
    (
      "Abs BiasAdd Cast Ceil ClipByValue Elu Erf Erfc Exp Floor FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 Identity LeakyRelu Log " +
      "LogSoftmax LogicalNot Neg OnesLike Prelu Reciprocal Relu Relu6 ReverseV2 Round Rsqrt Selu Sigmoid Sign Softmax Softplus Sqrt " +
      "Square Tanh ZerosLike"
    )
      .split(" ")
      .map((op) => [op, sameAsInput]),
  ),
  ...Object.fromEntries(
    (
      "Add AddN AddV2 Div DivNoNan Equal FloorDiv FloorMod Greater GreaterEqual Less LessEqual LogicalAnd LogicalOr " +
      "Maximum Minimum Mul NotEqual Pow RealDiv SelectV2 SquaredDifference Sub"
    )
      .split(" ")
      .map((op) => [op, broadcast]),
  ),
  ...Object.fromEntries("All Any Max Mean Min Prod Sum".split(" ").map((op) => [op, reduce])),
  AvgPool: pool,
  BatchMatMul: multiplyBatches,
  BatchMatMulV2: multiplyBatches,
  BatchMatMulV3: multiplyBatches,
  BroadcastTo: ({ inputs }, { valuesOf }) => valuesOf(inputs[1]) ?? null,
  ConcatV2: ({ inputs }, { shapeOf, valuesOf }) => {
    const shapes = inputs.slice(0, -1).map((input) => shapeOf(input));
    const [axis] = valuesOf(inputs.at(-1)) ?? [];
    const [first] = shapes;
    if (typeof axis !== "number" || !first || !shapes.every((shape) => shape?.length === first.length)) return null;
    const at = fromEnd(axis, first.length);
    const sizes = shapes.map((shape) => shape?.[at] ?? null);
    const length = sizes.includes(null) ? null : sum(sizes.map(Number));
    return first.map((size, index) => (index === at ? length : size));
  },
  Const: ({ value }) => value?.shape ?? null,
  Conv2D: convolve,
  Conv2DBackpropInput: ({ inputs }, { valuesOf }) => valuesOf(inputs[0]) ?? null,
  DepthwiseConv2dNative: convolve,
  DepthToSpace: depthToSpace,
  Einsum: einsum,
  ExpandDims: ({ inputs }, { shapeOf, valuesOf }) => {
    const [shape, [axis] = []] = [shapeOf(inputs[0]), valuesOf(inputs[1])];
    return shape === null || typeof axis !== "number" ? null : shape.toSpliced(fromEnd(axis, shape.length + 1), 0, 1);
  },
  Fill: ({ inputs }, { valuesOf }) => valuesOf(inputs[0]) ?? null,
  FusedDepthwiseConv2dNative: convolve,
  GatherV2: (node, { shapeOf, valuesOf }) => {
    const [params, indices] = [shapeOf(node.inputs[0]), shapeOf(node.inputs[1])];
    const [axis] = valuesOf(node.inputs[2]) ?? [];
    if (params === null || indices === null || typeof axis !== "number") return null;
    const at = fromEnd(axis, params.length);
    return params.toSpliced(at, 1, ...indices.slice(integerAttr(node, "batch_dims")));
  },
  MatMul: multiply,
  MaxPool: pool,
  MirrorPad: pad,
  Pack: (node, { shapeOf }) => {
    const shape = shapeOf(node.inputs[0]);
    const axis = integerAttr(node, "axis");
    return shape === null ? null : shape.toSpliced(fromEnd(axis, shape.length + 1), 0, node.inputs.length);
  },
  Pad: pad,
  PadV2: pad,
  Range: ({ inputs }, { valuesOf }) => {
    const [start, limit, delta] = inputs.map((input) => valuesOf(input)?.[0]);
    if (typeof start !== "number" || typeof limit !== "number" || !delta) return [null];
    return [Math.max(0, Math.ceil((limit - start) / delta))];
  },
  Rank: () => [],
  Reshape: ({ inputs }, { shapeOf, valuesOf }) => {
    const [from, to] = [shapeOf(inputs[0]), valuesOf(inputs[1])];
    if (to === undefined) return null;
    const known = to.map((size) => (size === -1 ? null : size));
    const unknown = known.filter((size) => size === null).length;
    const count = from === null || from.includes(null) ? null : product(from.map(Number));
    const rest = product(known.map((size) => size ?? 1));
    return unknown === 1 && count !== null && rest > 0 ? known.map((size) => size ?? count / rest) : known;
  },
  ResizeBilinear: resizeTo,
  ResizeNearestNeighbor: resizeTo,
  Shape: ({ inputs }, { shapeOf }) => [shapeOf(inputs[0])?.length ?? null],
  Size: () => [],
  Squeeze: (node, { shapeOf }) => {
    const shape = shapeOf(node.inputs[0]);
    if (shape === null) return null;
    const given = [...integersAttr(node, "squeeze_dims"), ...integersAttr(node, "axis")];
    const axes = new Set(given.map((axis) => fromEnd(axis, shape.length)));
    if (axes.size === 0 && shape.includes(null)) return null;
    return shape.filter((size, axis) => (axes.size === 0 ? size !== 1 : !axes.has(axis)));
  },
  StridedSlice: (node, { shapeOf, valuesOf }) => {
    const [begin, end, strides] = node.inputs.slice(1).map((input) => valuesOf(input));
    const slices = slicePlaces(node, shapeOf(node.inputs[0]), begin, end, strides);
    return slices?.filter(({ kind }) => kind !== "dropped").map(sizeOfSlice) ?? null;
  },
  Tile: ({ inputs }, { shapeOf, valuesOf }) => {
    const [shape, times] = [shapeOf(inputs[0]), valuesOf(inputs[1])];
    if (shape === null || times === undefined) return null;
    return shape.map((size, axis) => {
      const count = times[axis] ?? null;
      return size === null || count === null ? null : size * count;
    });
  },
  Transpose: ({ inputs }, { shapeOf, valuesOf }) => {
    const [shape, order] = [shapeOf(inputs[0]), valuesOf(inputs[1])];
    if (shape === null || order === undefined || order.includes(null)) return null;
    return order.map((axis) => shape[axis ?? 0] ?? null);
  },
  _FusedConv2D: convolve,
  _FusedMatMul: multiply,
};

function sizeOfSlice(slice: SliceOfAxis): number | null {
  if (slice.kind === "new") return 1;
  return slice.kind === "range" ? (slice.places?.count ?? null) : null;
}

/** The axis that a negative one counts from the end to. */
function fromEnd(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function product(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total * number, 1);
}
