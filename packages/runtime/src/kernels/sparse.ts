import type { Tensor } from "@nearside/core";
import type { Kernel, Kernels } from "./kernel.ts";
import { axisOf, int32Tensor, invalid, numbersOf, numericTensor, pick, sizeOf } from "./plain-tensors.ts";

/** Ops on sparse tensors: indices [k, rank], values [k], shape [rank]. */
export const sparseKernels: Kernels = {
  /** The same elements in the order of their places. */
  SparseReorder: {
    compute([indices, values, shape]) {
      const rows = rowsOf(indices);
      const sizes = numbersOf(shape);
      const order = [...rows.keys()].sort((a, b) => placeOf(rows[a] ?? [], sizes) - placeOf(rows[b] ?? [], sizes));
      const sorted = order.flatMap((row) => rows[row] ?? []);
      return [int32Tensor(indices?.shape ?? [], sorted), pick(values as Tensor, [order.length], order)];
    },
  },
  /** A sparse matrix times a dense one; each transposed first where `adjoint_a` or `adjoint_b` is set. */
  SparseTensorDenseMatMul: {
    compute([indices, values, shape, dense], attrs) {
      const [isA, isB] = [attrs.bool("adjoint_a", false), attrs.bool("adjoint_b", false)];
      const [rows = 0, inner = 0] = isA ? numbersOf(shape).toReversed() : numbersOf(shape);
      const [height = 0, width = 0] = dense?.shape ?? [];
      const columns = isB ? height : width;
      if (inner !== (isB ? width : height)) {
        throw invalid("SparseTensorDenseMatMul", `[${rows},${inner}] and [${dense?.shape}] don't fit`);
      }
      const [given, right] = [numbersOf(values), numbersOf(dense)];
      const result = new Array<number>(rows * columns).fill(0);
      const places = placesWithin("SparseTensorDenseMatMul", indices, numbersOf(shape));
      for (const [element, [first = 0, second = 0]] of places.entries()) {
        const [row, at] = isA ? [second, first] : [first, second];
        for (let column = 0; column < columns; column++) {
          const factor = right[isB ? column * width + at : at * width + column] ?? 0;
          result[row * columns + column] = (result[row * columns + column] ?? 0) + (given[element] ?? 0) * factor;
        }
      }
      return numericTensor(values, [rows, columns], result);
    },
  },
  SparseReduceSum: reduce((a, b) => a + b),
  SparseReduceMax: reduce(Math.max),
  /** Several of them one after the other along `concat_dim`; the inputs are all indices, all values, all shapes. */
  SparseConcat: {
    compute(inputs, attrs) {
      const count = inputs.length / 3;
      const shapes = inputs.slice(2 * count).map(numbersOf);
      const rank = shapes[0]?.length ?? 0;
      const axis = axisOf(attrs.op, attrs.int("concat_dim", 0), rank);
      const entries: { row: readonly number[]; input: number; place: number }[] = [];
      let offset = 0;
      for (const [input, shape] of shapes.entries()) {
        for (const [place, row] of rowsOf(inputs[input]).entries()) {
          entries.push({ row: row.map((index, each) => (each === axis ? index + offset : index)), input, place });
        }
        offset += shape[axis] ?? 0;
      }
      const size = (shapes[0] ?? []).map((each, index) => (index === axis ? offset : each));
      entries.sort((a, b) => placeOf(a.row, size) - placeOf(b.row, size));
      const values = inputs.slice(count, 2 * count) as readonly Tensor[];
      const offsets = values.map((_, index) => values.slice(0, index).reduce((sum, each) => sum + each.data.length, 0));
      const all = joined(values);
      return [
        int32Tensor(
          [entries.length, rank],
          entries.flatMap(({ row }) => row),
        ),
        pick(
          all,
          [entries.length],
          entries.map(({ input, place }) => (offsets[input] ?? 0) + place),
        ),
        int32Tensor([rank], size),
      ];
    },
  },
  /** What lies in the box that begins at `start` and is `size` large. */
  SparseSlice: {
    compute([indices, values, shape, start, size]) {
      const [begins, lengths] = [numbersOf(start), numbersOf(size)];
      const kept = rowsOf(indices)
        .map((row, place) => ({ row: row.map((index, axis) => index - (begins[axis] ?? 0)), place }))
        .filter(({ row }) => row.every((index, axis) => index >= 0 && index < (lengths[axis] ?? 0)));
      const sizes = numbersOf(shape).map((each, axis) =>
        Math.max(0, Math.min(lengths[axis] ?? 0, each - (begins[axis] ?? 0))),
      );
      return [
        int32Tensor(
          [kept.length, sizes.length],
          kept.flatMap(({ row }) => row),
        ),
        pick(
          values as Tensor,
          [kept.length],
          kept.map(({ place }) => place),
        ),
        int32Tensor([sizes.length], sizes),
      ];
    },
  },
  /** Its values times, or divided by, the dense tensor's at the same places; the dense one may be broadcast. */
  SparseDenseCwiseMul: withDense((a, b) => a * b),
  SparseDenseCwiseDiv: withDense((a, b) => a / b),
  /** The sum as a dense tensor. */
  SparseTensorDenseAdd: {
    compute([indices, values, _shape, dense]) {
      const sum = [...numbersOf(dense)];
      const given = numbersOf(values);
      for (const [element, row] of placesWithin("SparseTensorDenseAdd", indices, dense?.shape ?? []).entries()) {
        const place = placeOf(row, dense?.shape ?? []);
        sum[place] = (sum[place] ?? 0) + (given[element] ?? 0);
      }
      return numericTensor(dense, dense?.shape ?? [], sum);
    },
  },
};

function rowsOf(indices: Tensor | undefined): readonly (readonly number[])[] {
  const [count = 0, rank = 0] = indices?.shape ?? [];
  const flat = numbersOf(indices);
  return Array.from({ length: count }, (_, row) => flat.slice(row * rank, (row + 1) * rank));
}

/** The rows. Throws `invalid-argument` for one outside the shape, which would make the result larger, up to all memory. */
function placesWithin(op: string, indices: Tensor | undefined, shape: readonly number[]) {
  const rows = rowsOf(indices);
  const isWithin = (row: readonly number[]) => row.every((index, axis) => index >= 0 && index < (shape[axis] ?? 0));
  const wrong = rows.find((row) => row.length !== shape.length || !isWithin(row));
  if (wrong !== undefined) throw invalid(op, `index [${wrong}] is outside [${shape}]`);
  return rows;
}

const placeOf = (row: readonly number[], shape: readonly number[]) =>
  shape.reduce((place, size, axis) => place * size + (row[axis] ?? 0), 0);

function joined(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  const elements = tensors.flatMap(({ data }) => Array.from(data as ArrayLike<number>)); // or strings
  if (first?.dtype === "string") return { dtype: "string", shape: [elements.length], data: elements.map(String) };
  return numericTensor(first, [elements.length], elements);
}

/** Reduces along axes to a dense tensor; where there is no element there is 0. */
function reduce(combine: (a: number, b: number) => number): Kernel {
  return {
    compute([indices, values, shape, axes], attrs) {
      const sizes = numbersOf(shape);
      const reduced = new Set(numbersOf(axes).map((axis) => (axis + sizes.length) % sizes.length));
      const outer = sizes.map((size, axis) => (reduced.has(axis) ? 1 : size));
      const result = new Map<number, number>();
      const elements = numbersOf(values);
      for (const [element, row] of rowsOf(indices).entries()) {
        const place = placeOf(
          row.map((index, axis) => (reduced.has(axis) ? 0 : index)),
          outer,
        );
        const [old, value] = [result.get(place), elements[element] ?? 0];
        result.set(place, old === undefined ? value : combine(old, value));
      }
      const isKept = attrs.bool("keep_dims", false);
      const dense = Array.from({ length: sizeOf(outer) }, (_, place) => result.get(place) ?? 0);
      return numericTensor(
        values,
        outer.filter((_, axis) => isKept || !reduced.has(axis)),
        dense,
      );
    },
  };
}

function withDense(combine: (a: number, b: number) => number): Kernel {
  return {
    compute([indices, values, shape, dense]) {
      const [sizes, right] = [numbersOf(shape), numbersOf(dense)];
      const own = dense?.shape ?? [];
      const missing = sizes.length - own.length;
      const given = numbersOf(values);
      const result = rowsOf(indices).map((row, element) => {
        const at = own.map((size, axis) => (size === 1 ? 0 : (row[axis + missing] ?? 0)));
        return combine(given[element] ?? 0, right[placeOf(at, own)] ?? 0);
      });
      return numericTensor(values, values?.shape ?? [], result);
    },
  };
}
