import type { Tensor } from "@nearside/core";
import type { Kernel, Kernels } from "./kernel.ts";
import { boolTensor, int32Tensor, invalid, numbersOf, pick, sizeOf } from "./plain-tensors.ts";

/**
 * Ops that compare elements with each other. TensorFlow.js has some of them, but not on every backend, and WebGPU's
 * can't read a value in the middle of a run unless it may wait for it; these may.
 */
export const setKernels: Kernels = {
  /** The different elements [u] of x [n] in the order of their first place, and each element's place among them [n]. */
  Unique: { compute: ([x]) => unique(x as Tensor).slice(0, 2) },
  /** The same along the first axis, whose slices are compared whole. */
  UniqueV2: uniqueAlongAxis(2),
  /** Also how often each occurs: [u]. */
  UniqueWithCounts: { compute: ([x]) => unique(x as Tensor) },
  UniqueWithCountsV2: uniqueAlongAxis(3),
  /** A sparse tensor's indices [k, rank] for another shape of the same size, and that shape; one dimension may be −1. */
  SparseReshape: {
    compute([indices, oldShape, newShape]) {
      const [from, wanted] = [numbersOf(oldShape), numbersOf(newShape)];
      const known = sizeOf(wanted.filter((size) => size >= 0));
      const to = wanted.map((size) => (size < 0 ? sizeOf(from) / known : size));
      if (sizeOf(to) !== sizeOf(from)) throw invalid("SparseReshape", `cannot make [${to}] of [${from}]`);
      const flat = numbersOf(indices);
      const rows = indices?.shape[0] ?? 0;
      const places = Array.from({ length: rows }, (_, row) => {
        const place = from.reduce((sum, size, axis) => sum * size + (flat[row * from.length + axis] ?? 0), 0);
        return to.map((size, axis) => Math.floor(place / sizeOf(to.slice(axis + 1))) % size);
      });
      return [int32Tensor([rows, to.length], places.flat()), int32Tensor([to.length], to)];
    },
  },
  /**
   * Gives a sparse tensor (indices [k, rank], values [k], shape) an element `default` in each row that has none. Then
   * says which rows those were, and where the old elements went.
   */
  SparseFillEmptyRows: {
    compute([indices, values, shape, missing]) {
      const rows = numbersOf(shape)[0] ?? 0;
      const [count = 0, rank = 1] = indices?.shape ?? [];
      const flat = numbersOf(indices);
      const byRow = Array.from({ length: rows }, (): number[] => []);
      for (let element = 0; element < count; element++) {
        const row = byRow[flat[element * rank] ?? -1];
        if (row === undefined) throw invalid("SparseFillEmptyRows", `row ${flat[element * rank]} of ${rows}`);
        row.push(element);
      }
      const places = byRow.flatMap((elements) => (elements.length === 0 ? [-1] : elements));
      const filled = byRow.flatMap((elements, row) =>
        elements.length === 0
          ? [[row, ...new Array<number>(rank - 1).fill(0)]]
          : elements.map((element) => flat.slice(element * rank, (element + 1) * rank)),
      );
      const targets = new Array<number>(count).fill(0);
      for (const [target, element] of places.entries()) if (element >= 0) targets[element] = target;
      return [
        int32Tensor([places.length, rank], filled.flat()),
        pick(values as Tensor, [places.length], places, missing),
        boolTensor(
          [rows],
          byRow.map((elements) => elements.length === 0),
        ),
        int32Tensor([count], targets),
      ];
    },
  },
  /** Bit by bit, of two int32 tensors of one shape. */
  BitwiseAnd: {
    compute([x, y]) {
      const right = numbersOf(y);
      return int32Tensor(
        x?.shape ?? [],
        numbersOf(x).map((value, index) => value & (right[index] ?? 0)),
      );
    },
  },
};

/** Different slices along the first axis, each slice's place among them, and how often each occurs. */
function unique(x: Tensor): readonly [Tensor, Tensor, Tensor] {
  const [rows = 0, ...inner] = x.shape;
  const size = sizeOf(inner);
  const known = new Map<string | number, number>();
  const first: number[] = [];
  const counts: number[] = [];
  const places: number[] = [];
  for (let row = 0; row < rows; row++) {
    const slice = x.data.slice(row * size, (row + 1) * size) as ArrayLike<string | number>; // no unique of bigints
    const key = size === 1 ? (slice[0] as string | number) : JSON.stringify(Array.from(slice));
    const place = known.get(key) ?? known.size;
    if (place === known.size) {
      known.set(key, place);
      for (let part = 0; part < size; part++) first.push(row * size + part);
    }
    counts[place] = (counts[place] ?? 0) + 1;
    places.push(place);
  }
  return [pick(x, [counts.length, ...inner], first), int32Tensor([rows], places), int32Tensor([counts.length], counts)];
}

function uniqueAlongAxis(outputs: number): Kernel {
  return {
    compute([x, axis]) {
      const [along = 0] = numbersOf(axis); // an empty list means a vector's only axis
      const rank = x?.shape.length ?? 0;
      if (along !== 0 && along !== -rank) throw invalid("UniqueV2", `only along axis 0, got ${along}`);
      return unique(x as Tensor).slice(0, outputs);
    },
  };
}
