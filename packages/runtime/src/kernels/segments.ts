import type { Tensor } from "@nearside/core";
import type { Kernel, Kernels } from "./kernel.ts";
import { float32Tensor, int32Tensor, invalid, numberOf, numbersOf, sizeOf } from "./plain-tensors.ts";

/** How the elements of a segment become one. */
interface Reduction {
  /** What an element is combined with first, and what `Unsorted…` ops give for a segment without elements. */
  readonly start: (dtype: Tensor["dtype"]) => number;
  readonly combine: (sum: number, value: number) => number;
  readonly finish?: (sum: number, count: number) => number;
}

const reductions = {
  Sum: { start: () => 0, combine: (sum, value) => sum + value },
  Mean: { start: () => 0, combine: (sum, value) => sum + value, finish: (sum, count) => sum / Math.max(1, count) },
  Prod: { start: () => 1, combine: (product, value) => product * value },
  Max: { start: (dtype) => (dtype === "int32" ? -(2 ** 31) : -lowestFloat), combine: Math.max },
  Min: { start: (dtype) => (dtype === "int32" ? 2 ** 31 - 1 : lowestFloat), combine: Math.min },
} as const satisfies Readonly<Record<string, Reduction>>;

/** The largest float32. */
const lowestFloat = (2 - 2 ** -23) * 2 ** 127;

/**
 * Reductions over segments of the first axes: data [s…, r…], segment ids [s…], output [segments, r…].
 * `Unsorted…` take the number of segments and leave out elements with a negative id. The others have sorted ids and as
 * many segments as the last id says; an empty one is 0.
 */
export const segmentKernels: Kernels = {
  UnsortedSegmentSum: unsorted(reductions.Sum),
  UnsortedSegmentProd: unsorted(reductions.Prod),
  UnsortedSegmentMax: unsorted(reductions.Max),
  UnsortedSegmentMin: unsorted(reductions.Min),
  SegmentSum: sorted(reductions.Sum),
  SegmentMean: sorted(reductions.Mean),
  SegmentProd: sorted(reductions.Prod),
  SegmentMax: sorted(reductions.Max),
  SegmentMin: sorted(reductions.Min),
};

function unsorted(reduction: Reduction): Kernel {
  return {
    compute: ([data, ids, count], { op }) =>
      reduce(data as Tensor, ids as Tensor, { op, count: numberOf(count), reduction, empty: reduction.start }),
  };
}

function sorted(reduction: Reduction): Kernel {
  return {
    compute([data, ids], { op }) {
      const sortedIds = numbersOf(ids);
      const wrong = sortedIds.find((id, row) => id < (sortedIds[row - 1] ?? 0));
      if (wrong !== undefined) throw invalid(op, `expected ids from 0 in ascending order, got ${wrong}`);
      const count = (sortedIds.at(-1) ?? -1) + 1;
      return reduce(data as Tensor, ids as Tensor, { op, count, reduction, empty: () => 0 });
    },
  };
}

interface Segments {
  readonly op: string;
  readonly count: number;
  readonly reduction: Reduction;
  readonly empty: Reduction["start"];
}

function reduce(data: Tensor, ids: Tensor, { op, count, reduction, empty }: Segments): Tensor {
  const inner = data.shape.slice(ids.shape.length);
  if (ids.shape.some((length, axis) => length !== data.shape[axis])) {
    throw invalid(op, `expected a segment id for each element, got [${ids.shape}] for [${data.shape}]`);
  }
  const size = sizeOf(inner);
  const result = new Array<number>(count * size).fill(reduction.start(data.dtype));
  const counts = new Array<number>(count).fill(0);
  for (const [row, id] of numbersOf(ids).entries()) {
    if (id < 0) continue;
    if (id >= count) throw invalid(op, `segment id ${id} is outside [0, ${count})`);
    counts[id] = (counts[id] ?? 0) + 1;
    for (let part = 0; part < size; part++) {
      const at = id * size + part;
      result[at] = reduction.combine(result[at] ?? 0, Number(data.data[row * size + part]));
    }
  }
  const finished = result.map((value, at) => {
    const members = counts[Math.floor(at / size)] ?? 0;
    return members === 0 ? empty(data.dtype) : (reduction.finish?.(value, members) ?? value);
  });
  return (data.dtype === "float32" ? float32Tensor : int32Tensor)([count, ...inner], finished);
}
