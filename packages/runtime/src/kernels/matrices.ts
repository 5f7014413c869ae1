import type { Tensor } from "@nearside/core";
import { cast, reshape, type Tensor as TfjsTensor, tensor, tile, zerosLike } from "@tensorflow/tfjs-core";
import { choose } from "./choose.ts";
import { contract } from "./contract.ts";
import { expandEllipsis } from "./expand-ellipsis.ts";
import type { Kernel, Kernels } from "./kernel.ts";
import type { KernelAttrs } from "./kernel-attrs.ts";
import { numberOf, numbersOf, pick, sizeOf } from "./plain-tensors.ts";

/** Keeps `num_lower` diagonals below the main one and `num_upper` above (all of them if negative); 0 elsewhere. */
const bandPart: Kernel = {
  reads: [1, 2],
  compose([x], { op }, { 1: [lower = -1] = [], 2: [upper = -1] = [] }) {
    const input = x as TfjsTensor; // it has three
    const [rows, columns] = input.shape.slice(-2) as [number, number]; // of rank 2 at least
    const mask = Array.from({ length: rows * columns }, (_, at) => {
      const below = Math.floor(at / columns) - (at % columns);
      return Number((lower < 0 || below <= lower) && (upper < 0 || -below <= upper));
    });
    const numbers = cast(input, input.dtype === "bool" ? "int32" : input.dtype);
    const band = tensor(mask, [rows, columns], "bool");
    return cast(choose(op, band, numbers, zerosLike(numbers)), input.dtype);
  },
};

/** Ops on the last two axes of a tensor as matrices, and on their diagonals. */
export const matrixKernels: Kernels = {
  // The converter writes ours: of the other, TensorFlow.js makes a causal mask all ones.
  MatrixBandPart: bandPart,
  NearsideMatrixBandPart: bandPart,
  /** Sums of products over named axes. */
  Einsum: {
    compose: (inputs, attrs) => contract(attrs.op, attrs.text("equation", ""), inputs),
  },
  /** Einsum with an ellipsis, which stands for the axes that aren't named. */
  NearsideEinsum: {
    compose(inputs, attrs) {
      const { equation, shapes } = expandEllipsis(
        attrs.text("equation", ""),
        inputs.map(({ shape }) => shape),
      );
      return contract(
        attrs.op,
        equation,
        inputs.map((input, index) => broadcast(input, shapes[index] ?? input.shape)),
      );
    },
  },
  /** Diagonals as matrices: [s…, d] (one) or [s…, number of diagonals, d] to [s…, rows, columns]. */
  MatrixDiagV3: {
    compute([diagonal, k, rows, columns, padding], attrs) {
      return fromDiagonals(diagonal as Tensor, bandOf(k), attrs, { rows, columns, padding });
    },
  },
  /** The diagonals k of matrices: the longest is [s…, d]; where k is a range, [s…, number of diagonals, d], padded. */
  MatrixDiagPartV3: {
    compute([input, k, padding], attrs) {
      const { shape } = input as Tensor; // it has three inputs
      const band = bandOf(k);
      const [rows, columns] = shape.slice(-2) as [number, number]; // of rank 2 at least
      const count = band.upper - band.lower + 1;
      const longest = longestDiagonal(rows, columns, band);
      const batch = shape.slice(0, -2);
      const places = new Array<number>(sizeOf(batch) * count * longest).fill(-1);
      for (let matrix = 0; matrix < sizeOf(batch); matrix++) {
        for (const { row, column, line, at } of bandElements(rows, columns, band, attrs)) {
          places[(matrix * count + line) * longest + at] = (matrix * rows + row) * columns + column;
        }
      }
      const outer = count === 1 ? batch : [...batch, count];
      return pick(input as Tensor, [...outer, longest], places, padding);
    },
  },
  /** Matrices with their diagonals k replaced; the diagonals as MatrixDiagPartV3 gives them. */
  MatrixSetDiagV3: {
    compute([input, diagonal, k], attrs) {
      const [matrices, source] = [input as Tensor, diagonal as Tensor]; // it has three inputs
      const [rows, columns] = matrices.shape.slice(-2) as [number, number]; // of rank 2 at least
      const band = bandOf(k);
      const lines = band.upper - band.lower + 1;
      const longest = longestDiagonal(rows, columns, band);
      const result = pick(
        matrices,
        matrices.shape,
        Array.from({ length: sizeOf(matrices.shape) }, (_, at) => at),
      );
      const data = result.data as (string | number)[]; // its own copy, just made
      for (let matrix = 0; matrix < sizeOf(matrices.shape.slice(0, -2)); matrix++) {
        for (const { row, column, line, at } of bandElements(rows, columns, band, attrs)) {
          data[(matrix * rows + row) * columns + column] = source.data[
            (matrix * lines + line) * longest + at
          ] as number;
        }
      }
      return result;
    },
  },
};

/** The diagonals from `lower` to `upper`: 0 is the main one, positive ones are above it. */
interface Band {
  readonly lower: number;
  readonly upper: number;
}

function bandOf(k: Tensor | undefined): Band {
  const [lower = 0, upper = lower] = numbersOf(k);
  return { lower, upper };
}

function diagonalLength(rows: number, columns: number, k: number): number {
  return Math.max(0, Math.min(rows + Math.min(k, 0), columns - Math.max(k, 0)));
}

function longestDiagonal(rows: number, columns: number, { lower, upper }: Band): number {
  return Math.min(rows + Math.min(upper, 0), columns - Math.max(lower, 0));
}

/** Each element of a band: its place in the matrix, and its line (upper diagonals first) and place among diagonals. */
function* bandElements(rows: number, columns: number, band: Band, attrs: KernelAttrs) {
  const [upperAlign, lowerAlign] = attrs.text("align", "RIGHT_LEFT").split("_");
  const longest = longestDiagonal(rows, columns, band);
  for (let k = band.upper; k >= band.lower; k--) {
    const length = diagonalLength(rows, columns, k);
    const isRight = (k >= 0 ? upperAlign : lowerAlign) === "RIGHT";
    for (let index = 0; index < length; index++) {
      yield {
        row: index - Math.min(k, 0),
        column: index + Math.max(k, 0),
        line: band.upper - k,
        at: isRight ? longest - length + index : index,
      };
    }
  }
}

interface DiagonalMatrix {
  readonly rows: Tensor | undefined;
  readonly columns: Tensor | undefined;
  readonly padding: Tensor | undefined;
}

function fromDiagonals(diagonal: Tensor, band: Band, attrs: KernelAttrs, { rows, columns, padding }: DiagonalMatrix) {
  const lines = band.upper - band.lower + 1;
  const batch = diagonal.shape.slice(0, lines === 1 ? -1 : -2);
  const longest = diagonal.shape.at(-1) ?? 0;
  const [leastRows, leastColumns] = [longest - Math.min(band.upper, 0), longest + Math.max(band.lower, 0)];
  const [givenRows, givenColumns] = [numberOf(rows), numberOf(columns)]; // −1: as small as can be
  // With neither given the matrix is square.
  const square = Math.max(leastRows, leastColumns);
  const height = givenRows >= 0 ? givenRows : givenColumns >= 0 ? leastRows : square;
  const width = givenColumns >= 0 ? givenColumns : givenRows >= 0 ? leastColumns : square;
  const places = new Array<number>(sizeOf(batch) * height * width).fill(-1);
  for (let matrix = 0; matrix < sizeOf(batch); matrix++) {
    for (const { row, column, line, at } of bandElements(height, width, band, attrs)) {
      places[(matrix * height + row) * width + column] = (matrix * lines + line) * longest + at;
    }
  }
  return pick(diagonal, [...batch, height, width], places, padding);
}

function broadcast(x: TfjsTensor, shape: readonly number[]): TfjsTensor {
  const padded = [...new Array<number>(shape.length - x.rank).fill(1), ...x.shape];
  const wide = x.rank === shape.length ? x : reshape(x, padded);
  const repeats = shape.map((size, axis) => (padded[axis] === size ? 1 : size));
  return repeats.every((count) => count === 1) ? wide : tile(wide, repeats);
}
