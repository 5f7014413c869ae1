/**
 * TensorFlow's elementwise ops on numbers. Each is computed in double precision and its result rounded to its dtype,
 * as TensorFlow would: for +, −, ·, / and √ the double makes no difference to the float32.
 */
export const elementwise: Readonly<Record<string, (a: number, b: number) => number>> = {
  Abs: (a) => Math.abs(a),
  Add: (a, b) => a + b,
  AddV2: (a, b) => a + b,
  Exp: (a) => Math.exp(a),
  FloorDiv: (a, b) => Math.floor(a / b),
  FloorMod: (a, b) => a - b * Math.floor(a / b),
  Log: (a) => Math.log(a),
  Maximum: (a, b) => Math.max(a, b),
  Minimum: (a, b) => Math.min(a, b),
  Mul: (a, b) => a * b,
  Neg: (a) => -a,
  Pow: (a, b) => a ** b,
  RealDiv: (a, b) => a / b,
  Reciprocal: (a) => 1 / a,
  Relu: (a) => Math.max(a, 0),
  Rsqrt: (a) => 1 / Math.fround(Math.sqrt(a)),
  Sqrt: (a) => Math.sqrt(a),
  Square: (a) => a * a,
  SquaredDifference: (a, b) => (a - b) ** 2,
  Sub: (a, b) => a - b,
};

/** The elements of a tensor, row-major. */
export interface Elements<T extends ArrayLike<number> = ArrayLike<number>> {
  readonly shape: readonly number[];
  readonly elements: T;
}

/** The shape that shapes are broadcast to, `undefined` where they don't fit. */
export function broadcastShapes(...shapes: readonly (readonly number[])[]): readonly number[] | undefined {
  const rank = Math.max(...shapes.map(({ length }) => length));
  const result = Array.from({ length: rank }, (_, axis) => {
    const sizes = new Set(shapes.map((shape) => shape[axis - rank + shape.length] ?? 1));
    sizes.delete(1);
    return sizes.size > 1 ? undefined : ([...sizes][0] ?? 1);
  });
  return result.every((size) => size !== undefined) ? result : undefined;
}

/** Applies `op` to operands that are broadcast to `shape`, and puts the results into `into`, which may be an operand. */
export function applyElementwise<T extends { [index: number]: number; readonly length: number }>(
  op: string,
  operands: readonly Elements[],
  shape: readonly number[],
  into: T,
): T {
  const compute = elementwise[op];
  const [a, b = a] = operands;
  if (compute === undefined || a === undefined || b === undefined) throw new Error(`no elementwise op "${op}"`);
  if (op === "Mul" && a.elements.length === into.length && isSuffix(b.shape, shape)) {
    return multiplyRows(a.elements, b.elements, into);
  }
  const [placeOfA, placeOfB] = [placeIn(a.shape, shape), placeIn(b.shape, shape)];
  for (let at = 0; at < into.length; at++) {
    into[at] = compute(a.elements[placeOfA(at)] ?? Number.NaN, b.elements[placeOfB(at)] ?? Number.NaN);
  }
  return into;
}

/**
 * Multiplies each row of `a` by `b`: a filter by a number per channel, nearly all there is to compute for a network
 * with batch norms, so without a call per element.
 */
function multiplyRows<T extends { [index: number]: number; readonly length: number }>(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  into: T,
): T {
  for (let row = 0; row < into.length; row += b.length) {
    for (let at = 0; at < b.length; at++) into[row + at] = (a[row + at] ?? Number.NaN) * (b[at] ?? Number.NaN);
  }
  return into;
}

/** Whether broadcasting repeats the elements of `from` as they lie. */
function isSuffix(from: readonly number[], to: readonly number[]): boolean {
  const ownShape = from.slice(from.findIndex((size) => size !== 1));
  return ownShape.every((size, index) => size === to[to.length - ownShape.length + index]);
}

/** Where the element at a place of the broadcast tensor lies in the tensor of shape `from`. */
function placeIn(from: readonly number[], to: readonly number[]): (at: number) => number {
  const count = from.reduce((product, size) => product * size, 1);
  if (count === 1) return () => 0;
  if (isSuffix(from, to)) return (at) => at % count;
  const strides = to.map((_, index) => strideOf(from, index - (to.length - from.length)));
  return (at) => {
    let place = 0;
    let rest = at;
    for (let axis = to.length - 1; axis >= 0; axis--) {
      const size = to[axis] ?? 1;
      place += (rest % size) * (strides[axis] ?? 0);
      rest = Math.floor(rest / size);
    }
    return place;
  };
}

/** How far apart neighbours along `axis` lie; 0 along an axis that is broadcast. */
function strideOf(shape: readonly number[], axis: number): number {
  if (axis < 0 || shape[axis] === 1) return 0;
  return shape.slice(axis + 1).reduce((product, size) => product * size, 1);
}
