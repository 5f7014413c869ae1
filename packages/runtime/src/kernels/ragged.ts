import type { Tensor } from "@nearside/core";
import type { Kernels } from "./kernel.ts";
import { int32Tensor, invalid, numbersOf, pick, sizeOf } from "./plain-tensors.ts";

/**
 * Ops on ragged tensors: rows of different lengths, as their elements end to end (`values`) and where each row begins
 * and ends in them (`row_splits`, one more than there are rows).
 */
export const raggedKernels: Kernels = {
  /** Row i is starts[i], starts[i] + deltas[i], … before limits[i]. Scalars stand for every row. Gives splits, values. */
  RaggedRange: {
    compute([starts, limits, deltas]) {
      const inputs = [starts, limits, deltas].map((input) => ({
        isScalar: input?.shape.length === 0,
        all: numbersOf(input),
      }));
      const rows = Math.max(...inputs.map(({ isScalar, all }) => (isScalar ? 0 : all.length)));
      const count = inputs.every(({ isScalar }) => isScalar) ? 1 : rows;
      const values: number[] = [];
      const splits = [0];
      for (let row = 0; row < count; row++) {
        const [start = 0, limit = 0, delta = 0] = inputs.map(({ isScalar, all }) => all[isScalar ? 0 : row] ?? 0);
        if (delta === 0) throw invalid("RaggedRange", "a delta is 0");
        const length = Math.max(0, Math.ceil((limit - start) / delta));
        for (let step = 0; step < length; step++) values.push(start + step * delta);
        splits.push(values.length);
      }
      const source = starts as Tensor; // it has three inputs
      const data = source.dtype === "float32" ? Float32Array.from(values) : Int32Array.from(values);
      return [int32Tensor([splits.length], splits), { dtype: source.dtype, shape: [values.length], data } as Tensor];
    },
  },
  /**
   * Rows of a ragged tensor by their places. Takes the splits of every ragged axis, the values and indices of any rank;
   * gives splits for OUTPUT_RAGGED_RANK axes (those of the indices beyond the first are regular) and the values.
   */
  RaggedGather: {
    compute(inputs, attrs) {
      const rank = attrs.int("PARAMS_RAGGED_RANK", inputs.length - 2);
      const values = inputs[rank] as Tensor; // after the splits
      const indices = inputs[rank + 1] as Tensor; // and last
      const outer = indices.shape.slice(1).map((size, axis) => {
        const rows = sizeOf(indices.shape.slice(0, axis + 1));
        return Array.from({ length: rows + 1 }, (_, row) => row * size);
      });
      let places = numbersOf(indices);
      const inner: number[][] = [];
      for (const splits of inputs.slice(0, rank).map(numbersOf)) {
        const next: number[] = [];
        const lengths = [0];
        for (const place of places) {
          const [begin, end] = [splits[place], splits[place + 1]];
          if (begin === undefined || end === undefined) throw invalid("RaggedGather", `no row ${place}`);
          for (let element = begin; element < end; element++) next.push(element);
          lengths.push(next.length);
        }
        inner.push(lengths);
        places = next;
      }
      return [...[...outer, ...inner].map((splits) => int32Tensor([splits.length], splits)), takeRows(values, places)];
    },
  },
  /**
   * A ragged tensor as a dense one, with `default_value` where a row is shorter. Takes the wanted shape (−1 or a scalar
   * −1: as large as need be; what does not fit is cut off), values [n, …], the default, and the row partitions.
   */
  RaggedTensorToTensor: {
    compute([shape, values, missing, ...tensors], attrs) {
      const types = attrs.texts("row_partition_types");
      const given = types.map((type, index) => ({ type, numbers: numbersOf(tensors[index]) }));
      const hasCount = types[0] === "FIRST_DIM_SIZE";
      const partitions = given.slice(hasCount ? 1 : 0).map(toRowIds);
      const rowCount = hasCount ? (given[0]?.numbers[0] ?? 0) : (given[0]?.numbers.length ?? 1) - 1;
      const [source, fill] = [values as Tensor, missing as Tensor]; // it has both
      const wanted = shape?.shape.length === 0 ? [] : numbersOf(shape);
      const natural = [rowCount, ...partitions.map(({ longest }) => longest)];
      const ragged = natural.map((size, axis) => ((wanted[axis] ?? -1) < 0 ? size : (wanted[axis] as number)));
      const inner = source.shape.slice(1);
      const innerSize = sizeOf(inner);
      const places = new Array<number>(sizeOf(ragged) * innerSize).fill(-1);
      for (let element = 0; element < (source.shape[0] ?? 0); element++) {
        const target = placeOf(element, partitions, ragged);
        if (target === undefined) continue;
        for (let part = 0; part < innerSize; part++) places[target * innerSize + part] = element * innerSize + part;
      }
      if (sizeOf(fill.shape) === 1) return pick(source, [...ragged, ...inner], places, fill);
      return fillEach(source, fill, [...ragged, ...inner], places);
    },
  },
};

/** A row partition, whichever way it was given: each element's row, its place there, and the longest row. */
interface Partition {
  readonly rows: readonly number[];
  readonly places: readonly number[];
  readonly longest: number;
}

function toRowIds({ type, numbers }: { type: string; numbers: readonly number[] }): Partition {
  if (type !== "ROW_SPLITS" && type !== "VALUE_ROWIDS") throw invalid("RaggedTensorToTensor", `no partition ${type}`);
  const rows =
    type === "VALUE_ROWIDS"
      ? numbers
      : numbers.slice(1).flatMap((end, row) => new Array<number>(end - (numbers[row] ?? 0)).fill(row));
  const places: number[] = [];
  for (let index = 0; index < rows.length; index++) {
    places.push(rows[index] === rows[index - 1] ? (places[index - 1] ?? 0) + 1 : 0);
  }
  return { rows, places, longest: places.reduce((most, place) => Math.max(most, place + 1), 0) };
}

/** Where an element of the innermost rows stands in a dense tensor of this shape; undefined if outside. */
function placeOf(element: number, partitions: readonly Partition[], shape: readonly number[]): number | undefined {
  let [index, place, stride] = [element, 0, 1];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const partition = partitions[axis - 1];
    const at = partition ? (partition.places[index] ?? 0) : index;
    if (at >= (shape[axis] ?? 0)) return undefined;
    place += at * stride;
    stride *= shape[axis] ?? 0;
    index = partition?.rows[index] ?? 0;
  }
  return place;
}

/** Like pick, where the default is a row of its own for the last axes. */
function fillEach(source: Tensor, fill: Tensor, shape: readonly number[], places: readonly number[]): Tensor {
  const fillSize = sizeOf(fill.shape);
  const dense = pick(source, shape, places, fill);
  const data = dense.data as (string | number)[]; // its own copy, just made
  for (const [index, place] of places.entries()) {
    if (place < 0) data[index] = fill.data[index % fillSize] as string | number;
  }
  return dense;
}

function takeRows(values: Tensor, rows: readonly number[]): Tensor {
  const inner = values.shape.slice(1);
  const size = sizeOf(inner);
  const places = rows.flatMap((row) => Array.from({ length: size }, (_, part) => row * size + part));
  return pick(values, [rows.length, ...inner], places);
}
