import { dtypes, elementCount } from "@nearside/core";

/** Numbers from −1 to 1, integers that are 0 or 1, and 1 for free dimensions. */
export function randomInputs({ inputs }, random) {
  const tensors = Object.entries(inputs).map(([name, { dtype, shape }]) => {
    if (dtype === "string" || dtype === "complex64" || shape === null) throw new Error(`input "${name}": not fed here`);
    const sizes = shape.map((size) => size ?? 1);
    const next = dtype === "float32" ? () => 2 * random() - 1 : () => Math.round(random());
    const numbers = Array.from({ length: elementCount(sizes) }, next);
    const toElement = dtype.endsWith("int64") ? BigInt : Number;
    return [name, { dtype, shape: sizes, data: dtypes[dtype].array.from(numbers, toElement) }];
  });
  return Object.fromEntries(tensors);
}

/** Over all outputs: the greatest difference, the RMS, and the RMS as a share of what is wanted. */
export function errorsOf(got, want) {
  let [max, squares, wantSquares, count] = [0, 0, 0, 0];
  for (const [index, values] of want.entries()) {
    for (const [at, value] of values.entries()) {
      const error = Math.abs(got[index][at] - value);
      max = Math.max(max, error);
      squares += error ** 2;
      wantSquares += value ** 2;
      count++;
    }
  }
  return { max, rms: Math.sqrt(squares / count), relative: Math.sqrt(squares / wantSquares) };
}

/** Numbers from 0 up to 1: a linear congruential generator with the constants of Numerical Recipes. */
export function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
