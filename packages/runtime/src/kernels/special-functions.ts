import { abs, add, div, mul, sum, type Tensor as TfjsTensor } from "@tensorflow/tfjs-core";
import { elementwise } from "./broadcast.ts";
import { bessel0, bessel1, digamma, lnGamma, lowerGamma, normalQuantile } from "./gamma-functions.ts";
import type { Kernels } from "./kernel.ts";

/** Functions of numbers, element by element and in doubles; those of two broadcast. */
export const specialFunctionKernels: Kernels = {
  /** ln |Γ(x)| */
  Lgamma: elementwise(([x = 0]) => lnGamma(x)),
  /** The derivative of ln Γ(x). */
  Digamma: elementwise(([x = 0]) => digamma(x)),
  /** The regularised lower incomplete gamma function P(a, x), and 1 − P. */
  Igamma: elementwise(([a = 0, x = 0]) => lowerGamma(a, x)),
  Igammac: elementwise(([a = 0, x = 0]) => 1 - lowerGamma(a, x)),
  /** The inverse of erf. */
  Erfinv: elementwise(([x = 0]) => normalQuantile(x / 2) / Math.SQRT2),
  /** The quantile of the normal distribution. */
  Ndtri: elementwise(([x = 0]) => normalQuantile(x - 0.5)),
  /** The modified Bessel functions of the first kind, and these times exp(−|x|). */
  BesselI0: elementwise(([x = 0]) => bessel0(x) * Math.exp(Math.abs(x))),
  BesselI0e: elementwise(([x = 0]) => bessel0(x)),
  BesselI1: elementwise(([x = 0]) => bessel1(x) * Math.exp(Math.abs(x))),
  BesselI1e: elementwise(([x = 0]) => bessel1(x)),
  /** The next float32 after x towards y. */
  NextAfter: elementwise(([x = 0, y = 0]) => nextAfter(x, y)),
  /** x·y, and 0 where y is 0, whatever x is. */
  MulNoNan: elementwise(([x = 0, y = 0]) => (y === 0 ? 0 : x * y)),
  /** The nearest whole number, the even one of two. */
  Rint: elementwise(([x = 0]) => roundToEven(x)),
  /** x / (1 + |x|) */
  Softsign: { compose: ([x]) => div(x as TfjsTensor, add(abs(x as TfjsTensor), 1)) },
  /** Σ x² / 2 */
  L2Loss: { compose: ([x]) => div(sum(mul(x as TfjsTensor, x as TfjsTensor)), 2) },
};

function nextAfter(x: number, y: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  if (x === y) return y;
  const bits = new Int32Array(1);
  const value = new Float32Array(bits.buffer);
  value[0] = x;
  if (x === 0) bits[0] = 1;
  else bits[0] = (bits[0] ?? 0) + (x < y === x > 0 ? 1 : -1);
  return x === 0 && y < 0 ? -(value[0] ?? 0) : (value[0] ?? 0);
}

function roundToEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
