import {
  add,
  concat,
  matMul,
  mul,
  neg,
  reshape,
  reverse,
  slice,
  sub,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from "@tensorflow/tfjs-core";

/** A complex tensor by its parts, of the same shape. */
export interface Complex {
  readonly re: Tensor;
  readonly im: Tensor;
}

/** Without an imaginary part, of real numbers. */
type MaybeReal = Pick<Complex, "re"> & Partial<Complex>;

// Longer ones are split as long as they have divisors: n² products become n(a + b).
const longestDirect = 64;

/** Σⱼ x[j]·exp(−2πijk/n) for each k, over the last axis. */
export function transform({ re, im }: MaybeReal): Complex {
  const n = re.shape.at(-1) ?? 1;
  const rows = n === 0 ? 0 : re.size / n;
  const flat = (part: Tensor) => reshape(part, [rows, n]);
  const found = transformRows({ re: flat(re), ...(im && { im: flat(im) }) }, n);
  return { re: reshape(found.re, re.shape), im: reshape(found.im, re.shape) };
}

/** Σₖ X[k]·exp(2πijk/n)/n for each j: the transform of the conjugate, conjugated. */
export function inverseTransform({ re, im }: Complex): Complex {
  const n = re.shape.at(-1) ?? 1;
  const found = transform({ re, im: neg(im) });
  return { re: mul(found.re, 1 / n), im: mul(found.im, -1 / n) };
}

/** The whole spectrum [rows…, n] of a real signal, from its first ⌊n/2⌋ + 1 values: X[n − k] is the conjugate of X[k]. */
export function mirrored({ re, im }: Complex, n: number): Complex {
  const tail = (part: Tensor) => reverse(sliceLast(part, 1, n - (part.shape.at(-1) ?? 0)), part.rank - 1);
  return { re: concat([re, tail(re)], -1), im: concat([im, neg(tail(im))], -1) };
}

/** The tensor with its last axis cut, or filled up with zeros, to `size`. */
export function resizeLast(x: Tensor, size: number): Tensor {
  const has = x.shape.at(-1) ?? 0;
  if (has === size) return x;
  if (has > size) return sliceLast(x, 0, size);
  return concat([x, zeros([...x.shape.slice(0, -1), size - has])], -1);
}

function sliceLast(x: Tensor, begin: number, size: number): Tensor {
  const isLast = (axis: number) => axis === x.rank - 1;
  return slice(
    x,
    x.shape.map((_, axis) => (isLast(axis) ? begin : 0)),
    x.shape.map((whole, axis) => (isLast(axis) ? size : whole)),
  );
}

/**
 * Rows of n = a·b numbers, j = j₁b + j₂ and k = k₁ + ak₂, as Cooley and Tukey do it:
 * X[k] = Σ(j₂) exp(−2πij₂k₂/b) · exp(−2πij₂k₁/n) · Σ(j₁) exp(−2πij₁k₁/a)·x[j].
 */
function transformRows(x: MaybeReal, n: number): Complex {
  const a = n > longestDirect ? divisorOf(n) : 1;
  if (a === 1) return multiplyRows(x, n);
  const b = n / a;
  const rows = n === 0 ? 0 : x.re.size / n;
  const swapped = (part: Tensor, height: number, width: number) =>
    transpose(reshape(part, [rows, height, width]), [0, 2, 1]);
  const columns = (part: Tensor) => reshape(swapped(part, a, b), [rows * b, a]);
  const inner = transformRows({ re: columns(x.re), ...(x.im && { im: columns(x.im) }) }, a);
  const turned = turn({ re: reshape(inner.re, [rows, b, a]), im: reshape(inner.im, [rows, b, a]) }, n);
  const lines = (part: Tensor) => reshape(swapped(part, b, a), [rows * a, b]);
  const outer = transformRows({ re: lines(turned.re), im: lines(turned.im) }, b);
  const whole = (part: Tensor) => reshape(swapped(part, a, b), [rows, n]);
  return { re: whole(outer.re), im: whole(outer.im) };
}

/** Multiplies element [j, k] of each matrix with exp(−2πijk/n). */
function turn({ re, im }: Complex, n: number): Complex {
  const [, height = 0, width = 0] = re.shape;
  const [cos, sin] = [rotations(height, width, n, Math.cos), rotations(height, width, n, Math.sin)].map((values) =>
    tensor(values, [height, width], "float32"),
  ) as [Tensor, Tensor];
  return { re: add(mul(re, cos), mul(im, sin)), im: sub(mul(im, cos), mul(re, sin)) };
}

/** As one matrix product: [re im] · [[cos −sin], [sin cos]]. */
function multiplyRows({ re, im }: MaybeReal, n: number): Complex {
  const [cos, sin] = [rotations(n, n, n, Math.cos), rotations(n, n, n, Math.sin)].map((values) =>
    tensor(values, [n, n], "float32"),
  ) as [Tensor, Tensor];
  const ofReal = concat([cos, neg(sin)], 1);
  const product = im ? matMul(concat([re, im], 1), concat([ofReal, concat([sin, cos], 1)], 0)) : matMul(re, ofReal);
  return { re: sliceLast(product, 0, n), im: sliceLast(product, n, n) };
}

/** of(2πjk/n) for each j and k; the whole turns are taken off first, as whole numbers. */
function rotations(height: number, width: number, n: number, of: (angle: number) => number): Float32Array {
  return Float32Array.from({ length: height * width }, (_, at) => {
    const turns = (Math.floor(at / width) * (at % width)) % n;
    return of((2 * Math.PI * turns) / n);
  });
}

/** The largest divisor up to √n; 1 of a prime. */
function divisorOf(n: number): number {
  let divisor = Math.floor(Math.sqrt(n));
  while (n % divisor !== 0) divisor--;
  return divisor;
}
