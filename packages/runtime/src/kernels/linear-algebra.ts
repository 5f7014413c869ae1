import type { Tensor } from "@nearside/core";
import type { Kernel, Kernels } from "./kernel.ts";
import { float32Tensor, invalid, numbersOf, sizeOf } from "./plain-tensors.ts";

/** A matrix of doubles, row by row. */
type Matrix = number[][];

/** Ops on square matrices […, n, n], each for itself, computed in doubles. */
export const linearAlgebraKernels: Kernels = {
  /** The lower triangle l with l·lᵀ = x, of the lower triangle of x, which must be positive definite. */
  Cholesky: eachMatrix("Cholesky", cholesky),
  /** The inverse, of the transpose where `adjoint` is set. */
  MatrixInverse: eachMatrix("MatrixInverse", (matrix, isAdjoint) =>
    solve("MatrixInverse", isAdjoint ? transpose(matrix) : matrix, identity(matrix.length)),
  ),
  /** The determinant: […]. */
  MatrixDeterminant: {
    compute([x]) {
      const { batch, matrices } = matricesOf("MatrixDeterminant", x);
      const values = matrices.map((matrix) =>
        eliminate(matrix, []).pivots.reduce((product, pivot) => product * pivot, 1),
      );
      return float32Tensor(batch, values);
    },
  },
  /** The sign of the determinant, and the logarithm of its absolute value: […] each. */
  LogMatrixDeterminant: {
    compute([x]) {
      const { batch, matrices } = matricesOf("LogMatrixDeterminant", x);
      const pivots = matrices.map((matrix) => eliminate(matrix, []).pivots);
      const signs = pivots.map((each) => each.reduce((sign, pivot) => sign * Math.sign(pivot), 1));
      const logs = pivots.map((each) => each.reduce((sum, pivot) => sum + Math.log(Math.abs(pivot)), 0));
      return [float32Tensor(batch, signs), float32Tensor(batch, logs)];
    },
  },
  /** y with x·y = right […, n, k]; xᵀ in the place of x where `adjoint` is set. */
  MatrixSolve: {
    compute([x, right], attrs) {
      const { matrices } = matricesOf("MatrixSolve", x);
      const isAdjoint = attrs.bool("adjoint", false);
      const sides = rowsOf(right);
      if (sides.length !== matrices.length)
        throw invalid("MatrixSolve", `[${x?.shape}] and [${right?.shape}] don't fit`);
      const solved = matrices.map((matrix, index) =>
        solve("MatrixSolve", isAdjoint ? transpose(matrix) : matrix, sides[index] ?? []),
      );
      return float32Tensor(right?.shape ?? [], solved.flat(2));
    },
  },
  /** The same for a triangular x, whose other triangle is not looked at. One of the batches may be broadcast. */
  MatrixTriangularSolve: {
    compute([x, right], attrs) {
      const { matrices, batch } = matricesOf("MatrixTriangularSolve", x);
      const [isLower, isAdjoint] = [attrs.bool("lower", true), attrs.bool("adjoint", false)];
      const sides = rowsOf(right);
      const count = Math.max(sides.length, matrices.length);
      const fits = [sides.length, matrices.length].every((length) => length === count || length === 1);
      if (!fits) throw invalid("MatrixTriangularSolve", `[${x?.shape}] and [${right?.shape}] don't fit`);
      const solved = Array.from({ length: count }, (_, index) => {
        const given = matrices[matrices.length === 1 ? 0 : index] ?? [];
        const matrix = isAdjoint ? transpose(given) : given;
        return substitute(matrix, sides[sides.length === 1 ? 0 : index] ?? [], isLower !== isAdjoint);
      });
      const outer = matrices.length === count ? batch : (right?.shape ?? []).slice(0, -2);
      return float32Tensor([...outer, ...(right?.shape ?? []).slice(-2)], solved.flat(2));
    },
  },
};

function eachMatrix(op: string, change: (matrix: Matrix, isAdjoint: boolean) => Matrix): Kernel {
  return {
    compute([x], attrs) {
      const { matrices } = matricesOf(op, x);
      const changed = matrices.map((matrix) => change(matrix, attrs.bool("adjoint", false)));
      return float32Tensor(x?.shape ?? [], changed.flat(2));
    },
  };
}

function matricesOf(op: string, x: Tensor | undefined): { batch: readonly number[]; matrices: Matrix[] } {
  const shape = x?.shape ?? [];
  if (shape.length < 2 || shape.at(-1) !== shape.at(-2)) throw invalid(op, `expected [..., n, n], got [${shape}]`);
  return { batch: shape.slice(0, -2), matrices: rowsOf(x) };
}

function rowsOf(x: Tensor | undefined): Matrix[] {
  const shape = x?.shape ?? [];
  const [rows = 0, columns = 0] = shape.slice(-2);
  const values = numbersOf(x);
  return Array.from({ length: sizeOf(shape.slice(0, -2)) }, (_, matrix) =>
    Array.from({ length: rows }, (_, row) => {
      const begin = (matrix * rows + row) * columns;
      return values.slice(begin, begin + columns);
    }),
  );
}

function cholesky(matrix: Matrix): Matrix {
  const lower = matrix.map((row) => row.map(() => 0));
  for (const [i, row] of matrix.entries()) {
    for (let j = 0; j <= i; j++) {
      const [own, other] = [lower[i] ?? [], lower[j] ?? []];
      let sum = row[j] ?? 0;
      for (let k = 0; k < j; k++) sum -= (own[k] ?? 0) * (other[k] ?? 0);
      if (i === j && !(sum > 0)) throw invalid("Cholesky", "the matrix isn't positive definite");
      own[j] = i === j ? Math.sqrt(sum) : sum / (other[j] ?? 1);
    }
  }
  return lower;
}

/** Gaussian elimination with the largest pivot of each column: the triangle, its diagonal with the swaps' sign in it. */
function eliminate(matrix: Matrix, right: Matrix): { upper: Matrix; right: Matrix; pivots: number[] } {
  const rows = matrix.map((row, index) => [...row, ...(right[index] ?? [])]);
  const size = matrix.length;
  const pivots: number[] = [];
  for (let column = 0; column < size; column++) {
    let best = column;
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(rows[row]?.[column] ?? 0) > Math.abs(rows[best]?.[column] ?? 0)) best = row;
    }
    const [pivotRow = [], other = []] = [rows[best], rows[column]];
    rows[column] = pivotRow;
    if (best !== column) rows[best] = other;
    const pivot = pivotRow[column] ?? 0;
    pivots.push(best === column ? pivot : -pivot);
    if (pivot === 0) continue;
    for (const row of rows.slice(column + 1)) {
      const factor = (row[column] ?? 0) / pivot;
      for (let at = column; at < row.length; at++) row[at] = (row[at] ?? 0) - factor * (pivotRow[at] ?? 0);
    }
  }
  return { upper: rows.map((row) => row.slice(0, size)), right: rows.map((row) => row.slice(size)), pivots };
}

function solve(op: string, matrix: Matrix, sides: Matrix): Matrix {
  const { upper, right, pivots } = eliminate(matrix, sides);
  if (pivots.includes(0)) throw invalid(op, "the matrix can't be inverted");
  return substitute(upper, right, false);
}

/** Solves triangular · y = right, from the row with one element on. */
function substitute(triangle: Matrix, right: Matrix, isLower: boolean): Matrix {
  const size = triangle.length;
  const solved: Matrix = right.map((row) => [...row]);
  for (let step = 0; step < size; step++) {
    const row = isLower ? step : size - 1 - step;
    const [own, target] = [triangle[row] ?? [], solved[row] ?? []];
    for (let column = 0; column < target.length; column++) {
      let value = target[column] ?? 0;
      const [begin, end] = isLower ? [0, row] : [row + 1, size];
      for (let k = begin; k < end; k++) value -= (own[k] ?? 0) * (solved[k]?.[column] ?? 0);
      target[column] = value / (own[row] ?? 1);
    }
  }
  return solved;
}

const transpose = (matrix: Matrix): Matrix => matrix.map((_, column) => matrix.map((row) => row[column] ?? 0));

const identity = (size: number): Matrix =>
  Array.from({ length: size }, (_, row) => Array.from({ length: size }, (_, column) => (row === column ? 1 : 0)));
