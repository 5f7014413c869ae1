import { add, complex, imag, mul, real, sub, type Tensor } from "@tensorflow/tfjs-core";

/**
 * Sums, differences and products of complex tensors, by the names of their kernels: of their parts, since TensorFlow.js
 * broadcasts such tensors wrongly on cpu, and has no such kernels elsewhere.
 */
export const complexArithmetic: Readonly<Record<string, (a: Tensor, b: Tensor) => Tensor>> = {
  Add: (a, b) => complex(add(real(a), real(b)), add(imag(a), imag(b))),
  Sub: (a, b) => complex(sub(real(a), real(b)), sub(imag(a), imag(b))),
  Multiply: (a, b) =>
    complex(sub(mul(real(a), real(b)), mul(imag(a), imag(b))), add(mul(real(a), imag(b)), mul(imag(a), real(b)))),
};
