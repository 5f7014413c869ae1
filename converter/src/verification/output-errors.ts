import type { Tensor, Tensors } from "@nearside/core";

/** How far an output is off over all runs. Of integers, truth values and strings, each that differs is off by 1. */
export interface OutputError {
  readonly maxAbsolute: number;
  readonly meanAbsolute: number;
  /** The greatest |got − want| / (1 + |want|). */
  readonly maxRelative: number;
  /** √(Σ(got − want)² / Σ want²): the error's size as a share of the output's own. Of integers and such, the share that differs. */
  readonly relative: number;
  /** What isn't as it should be besides the values: a dtype, a shape. All errors are infinite then. */
  readonly problem?: string;
}

/** How far each output of some runs is off from those that are wanted. */
export function outputErrors(got: readonly Tensors[], want: readonly Tensors[]): Readonly<Record<string, OutputError>> {
  const names = Object.keys(want[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [
      name,
      outputError(
        got.map((outputs) => outputs[name]),
        want.map((outputs) => outputs[name]),
      ),
    ]),
  );
}

/** The greatest `relative` of them. */
export function greatestError(errors: Readonly<Record<string, OutputError>>): number {
  return Math.max(0, ...Object.values(errors).map(({ relative }) => relative));
}

function outputError(got: readonly (Tensor | undefined)[], want: readonly (Tensor | undefined)[]): OutputError {
  const isExact = !inexact.has(want[0]?.dtype ?? "");
  let [count, sum, maxAbsolute, maxRelative, squares, wantSquares] = [0, 0, 0, 0, 0, 0];
  for (const [run, wanted] of want.entries()) {
    const given = got[run];
    const [expected, actual] = [describe(wanted), describe(given)];
    if (wanted === undefined || given === undefined || expected !== actual) {
      return { ...unbounded, problem: `expected ${expected}, got ${actual}` };
    }
    for (let index = 0; index < wanted.data.length; index++) {
      const [value, target] = [given.data[index], wanted.data[index]];
      const error = Object.is(value, target) || value === target ? 0 : isExact ? 1 : distance(value, target);
      const size = isExact || !Number.isFinite(target) ? 0 : Math.abs(Number(target));
      count++;
      sum += error;
      maxAbsolute = Math.max(maxAbsolute, error);
      maxRelative = Math.max(maxRelative, error / (1 + size));
      squares += error ** 2;
      wantSquares += size ** 2;
    }
  }
  const meanAbsolute = count === 0 ? 0 : sum / count;
  const relative = isExact ? meanAbsolute : squares === 0 ? 0 : Math.sqrt(squares / wantSquares);
  return { maxAbsolute, meanAbsolute, maxRelative, relative };
}

const inexact: ReadonlySet<string> = new Set(["float32", "float64", "complex64"]);
const infinite = Number.POSITIVE_INFINITY;
const unbounded = { maxAbsolute: infinite, meanAbsolute: infinite, maxRelative: infinite, relative: infinite };

/** ∞ where one of the two isn't a finite number. */
function distance(got: unknown, want: unknown): number {
  const error = Math.abs(Number(got) - Number(want));
  return Number.isNaN(error) ? infinite : error;
}

function describe(tensor: Tensor | undefined): string {
  return tensor === undefined ? "nothing" : `${tensor.dtype} [${tensor.shape.join(",")}]`;
}
