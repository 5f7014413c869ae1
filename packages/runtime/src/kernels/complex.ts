import {
  add,
  atan2,
  complex,
  div,
  imag,
  mul,
  neg,
  real,
  sqrt,
  sub,
  type Tensor as TfjsTensor,
} from "@tensorflow/tfjs-core";
import type { Kernels } from "./kernel.ts";

/**
 * Complex arithmetic from its real parts. TensorFlow.js adds and multiplies complex tensors itself, but on cpu wrongly
 * where one is broadcast to the other's shape (the imaginary parts become NaN), and it can't divide them.
 */
export const complexKernels: Kernels = {
  /** conj(a + bi) = a − bi; of a real tensor, itself. Any shape. */
  Conj: {
    compose([x]) {
      const input = x as TfjsTensor; // it has one
      return input.dtype === "complex64" ? complex(real(input), neg(imag(input))) : input;
    },
  },
  /** angle(a + bi) = atan2(b, a), in radians from −π to π; float32 of the same shape. */
  Angle: { compose: ([x]) => atan2(imag(x as TfjsTensor), real(x as TfjsTensor)) },
  /** |a + bi| = √(a² + b²); float32 of the same shape. TensorFlow.js has it, but not on wasm. */
  ComplexAbs: {
    compose([x]) {
      const [a, b] = [real(x as TfjsTensor), imag(x as TfjsTensor)];
      return sqrt(add(mul(a, a), mul(b, b)));
    },
  },
  /** (a + bi) + (c + di), broadcast. */
  NearsideComplexAdd: onParts((a, b, c, d) => [add(a, c), add(b, d)]),
  /** (a + bi) − (c + di), broadcast. */
  NearsideComplexSub: onParts((a, b, c, d) => [sub(a, c), sub(b, d)]),
  /** (a + bi)(c + di) = (ac − bd) + (ad + bc)i, broadcast. */
  NearsideComplexMul: onParts((a, b, c, d) => [sub(mul(a, c), mul(b, d)), add(mul(a, d), mul(b, c))]),
  /** (a + bi)/(c + di) = ((ac + bd) + (bc − ad)i)/(c² + d²), broadcast. */
  NearsideComplexDiv: onParts((a, b, c, d) => {
    const norm = add(mul(c, c), mul(d, d));
    return [div(add(mul(a, c), mul(b, d)), norm), div(sub(mul(b, c), mul(a, d)), norm)];
  }),
};

/** A kernel of two complex inputs, from what makes the real and imaginary part of its output. */
function onParts(
  combine: (a: TfjsTensor, b: TfjsTensor, c: TfjsTensor, d: TfjsTensor) => readonly [TfjsTensor, TfjsTensor],
): Kernels[string] {
  return {
    compose([x, y]) {
      const [left, right] = [x as TfjsTensor, y as TfjsTensor]; // binary ops have two
      return complex(...combine(real(left), imag(left), real(right), imag(right)));
    },
  };
}
