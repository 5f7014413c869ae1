import { elementCount } from "@nearside/core";
import { integerAttr } from "./attr-values.ts";
import { joinValues, smallNumbers, transposeValue, walkValue } from "./compute.ts";
import type { Node, TensorValue } from "./graph.ts";
import { stridesOf, type Walk } from "./strided.ts";
import { slicePlaces } from "./strided-slice.ts";

/** The value of an op that rearranges its constant operands, `undefined` where it can't be computed. */
export function arrangedValue(node: Node, operands: readonly TensorValue[]): TensorValue | undefined {
  return rules[node.op]?.(node, operands);
}

/** The value of one of the outputs of an op that takes a constant apart. */
export function partOfValue(node: Node, output: number, operands: readonly TensorValue[]): TensorValue | undefined {
  return partRules[node.op]?.(node, operands, output);
}

type Rule = (node: Node, operands: readonly TensorValue[]) => TensorValue | undefined;

/** The elements along each axis of `shape`, from `start`, `step` apart, `count` of them. */
interface Range {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

function whole(count: number): Range {
  return { start: 0, step: 1, count };
}

/** The elements in those ranges; `undefined` where one of them leaves the value. */
function takeRanges(value: TensorValue, ranges: readonly Range[], shape?: readonly number[]): TensorValue | undefined {
  const isInside = ({ start, step, count }: Range, axis: number) => {
    const [size, last] = [value.shape[axis] ?? 0, start + step * (count - 1)];
    return count === 0 || (start >= 0 && start < size && last >= 0 && last < size);
  };
  if (ranges.length !== value.shape.length || !ranges.every(isInside)) return undefined;
  const strides = stridesOf(value.shape);
  const walk: Walk = {
    dims: ranges.map(({ count }) => count),
    strides: ranges.map(({ step }, axis) => step * (strides[axis] ?? 0)),
    offset: ranges.reduce((sum, { start }, axis) => sum + start * (strides[axis] ?? 0), 0),
  };
  return walkValue(value, walk, shape ?? walk.dims);
}

/** The value with one axis cut to a range, which goes where the shape leaves it out. */
function takeAlong(value: TensorValue, axis: number, range: Range, isDropped = false): TensorValue | undefined {
  const ranges = value.shape.map((size, index) => (index === axis ? range : whole(size)));
  const shape = ranges.map(({ count }) => count);
  return takeRanges(value, ranges, isDropped ? shape.toSpliced(axis, 1) : shape);
}

function fromEnd(axis: number | undefined, rank: number): number | undefined {
  const place = axis !== undefined && axis < 0 ? axis + rank : axis;
  return place !== undefined && place >= 0 && place < rank ? place : undefined;
}

const numbers = (value: TensorValue | undefined) => value && smallNumbers(value);

const rules: Readonly<Record<string, Rule>> = {
  ConcatV2: (_, operands) => {
    const [axis] = numbers(operands.at(-1)) ?? [];
    const at = fromEnd(axis, operands[0]?.shape.length ?? 0);
    return at === undefined ? undefined : joinValues(operands.slice(0, -1), at);
  },
  GatherV2: (node, [params, indices, axes]) => {
    const [places, [axis] = []] = [numbers(indices), numbers(axes) ?? []];
    const at = fromEnd(axis, params?.shape.length ?? 0);
    if (!params || !indices || !places?.length || at === undefined || integerAttr(node, "batch_dims") !== 0) {
      return undefined;
    }
    const [start = 0, second = start + 1] = places;
    const step = second - start;
    const shape = params.shape.toSpliced(at, 1, ...indices.shape);
    if (places.every((place, index) => place === start + step * index)) {
      const taken = takeAlong(params, at, { start, step, count: places.length });
      return taken && { ...taken, shape };
    }
    if (smallNumbers(params) === undefined || places.length > 1024) return undefined;
    const rows = places.map((place) => takeAlong(params, at, { start: place, step: 1, count: 1 }));
    const joined = rows.every((row) => row !== undefined) ? joinValues(rows, at) : undefined;
    return joined && { ...joined, shape };
  },
  Pack: (node, operands) => {
    const [first] = operands;
    const axis = fromEnd(integerAttr(node, "axis"), (first?.shape.length ?? 0) + 1);
    if (first === undefined || axis === undefined) return undefined;
    const isEqual = operands.every(({ shape }) => String(shape) === String(first.shape));
    const rows = operands.map((operand) => ({ ...operand, shape: operand.shape.toSpliced(axis, 0, 1) }));
    return isEqual ? joinValues(rows, axis) : undefined;
  },
  ReverseV2: (_, [value, axes]) => {
    const reversed = numbers(axes)?.map((axis) => fromEnd(axis, value?.shape.length ?? 0));
    if (value === undefined || reversed === undefined || reversed.includes(undefined)) return undefined;
    const ranges = value.shape.map((count, axis) =>
      reversed.includes(axis) ? { start: Math.max(0, count - 1), step: -1, count } : whole(count),
    );
    return takeRanges(value, ranges);
  },
  Slice: (_, [value, begin, size]) => {
    const [starts, sizes] = [numbers(begin), numbers(size)];
    if (value === undefined || starts?.length !== value.shape.length || sizes?.length !== value.shape.length) {
      return undefined;
    }
    const ranges = value.shape.map((length, axis) => {
      const [start = 0, count = 0] = [starts[axis], sizes[axis]];
      return { start, step: 1, count: count === -1 ? length - start : count };
    });
    return ranges.every(({ count }) => count >= 0) ? takeRanges(value, ranges) : undefined;
  },
  StridedSlice: (node, [value, begin, end, strides]) => {
    const slices = value && slicePlaces(node, value.shape, numbers(begin), numbers(end), numbers(strides));
    if (value === undefined || slices === undefined) return undefined;
    const ranges: (Range | undefined)[] = [];
    const shape: number[] = [];
    for (const slice of slices) {
      if (slice.kind === "new") shape.push(1);
      if (slice.kind === "dropped") ranges.push(slice.place === null ? undefined : { ...whole(1), start: slice.place });
      if (slice.kind !== "range") continue;
      ranges.push(slice.places === null ? undefined : { ...slice.places, start: slice.places.first });
      shape.push(slice.places?.count ?? 0);
    }
    return ranges.every((range) => range !== undefined) ? takeRanges(value, ranges, shape) : undefined;
  },
  Tile: (_, [value, multiples]) => {
    const times = numbers(multiples);
    if (value === undefined || times?.length !== value.shape.length || times.some((count) => count < 1)) {
      return undefined;
    }
    const strides = stridesOf(value.shape);
    const dims = value.shape.flatMap((size, axis) => [times[axis] ?? 1, size]);
    const steps = strides.flatMap((stride) => [0, stride]);
    const shape = value.shape.map((size, axis) => size * (times[axis] ?? 1));
    return walkValue(value, { dims, strides: steps, offset: 0 }, shape);
  },
  Transpose: (_, [value, permutation]) => {
    const order = numbers(permutation);
    const isWhole = value && order && [...order].sort((a, b) => a - b).every((axis, place) => axis === place);
    return isWhole && order.length === value.shape.length ? transposeValue(value, order) : undefined;
  },
};

const partRules: Readonly<Record<string, (...args: [...Parameters<Rule>, number]) => TensorValue | undefined>> = {
  Split: (node, [axes, value], output) => {
    const at = fromEnd(numbers(axes)?.[0], value?.shape.length ?? 0);
    if (value === undefined || at === undefined) return undefined;
    const count = (value.shape[at] ?? 0) / integerAttr(node, "num_split");
    return Number.isInteger(count) ? takeAlong(value, at, { start: output * count, step: 1, count }) : undefined;
  },
  SplitV: (_, [value, sizes, axes], output) => {
    const [lengths, at] = [numbers(sizes), fromEnd(numbers(axes)?.[0], value?.shape.length ?? 0)];
    if (value === undefined || lengths === undefined || at === undefined) return undefined;
    const rest = (value.shape[at] ?? 0) - lengths.reduce((sum, length) => sum + Math.max(0, length), 0);
    const known = lengths.map((length) => (length === -1 ? rest : length));
    const [count = 0, start] = [known[output], known.slice(0, output).reduce((sum, length) => sum + length, 0)];
    return count < 0 ? undefined : takeAlong(value, at, { start, step: 1, count });
  },
  Unpack: (node, [value], output) => {
    const at = fromEnd(integerAttr(node, "axis"), value?.shape.length ?? 0);
    if (value === undefined || at === undefined || elementCount(value.shape) === 0) return undefined;
    return takeAlong(value, at, { start: output, step: 1, count: 1 }, true);
  },
};

/** The ops that take a value apart. */
export const partingOps: ReadonlySet<string> = new Set(Object.keys(partRules));
