import { complex, imag, real, reshape, type Tensor as TfjsTensor, transpose } from "@tensorflow/tfjs-core";
import { type Complex, inverseTransform, mirrored, resizeLast, transform } from "./fourier.ts";
import type { Kernels } from "./kernel.ts";

/**
 * Fourier transforms. TensorFlow.js on WebGPU is 1e-4 off, on wasm it has none, and it doesn't look at `fft_length`
 * or take an odd one.
 */
export const spectralKernels: Kernels = {
  /** Over the last axis: complex64 […, n] to the same shape. */
  FFT: { compose: ([x]) => joined(transform(partsOf(x as TfjsTensor))) },
  /** Its inverse, divided by n. */
  IFFT: { compose: ([x]) => joined(inverseTransform(partsOf(x as TfjsTensor))) },
  /** Of real numbers, cut or filled up with zeros to fft_length = n: float32 […, any] to complex64 […, n/2 + 1]. */
  RFFT: {
    reads: [1],
    compose([x], _, { 1: [length = 0] = [] }) {
      const input = resizeLast(x as TfjsTensor, length);
      const { re, im } = transform({ re: input });
      const half = Math.floor(length / 2) + 1;
      return joined({ re: resizeLast(re, half), im: resizeLast(im, half) });
    },
  },
  /** Its inverse: complex64 […, any] to float32 […, fft_length]. */
  IRFFT: {
    reads: [1],
    compose([x], _, { 1: [length = 0] = [] }) {
      const { re, im } = partsOf(x as TfjsTensor);
      const half = Math.floor(length / 2) + 1;
      const whole = mirrored({ re: resizeLast(re, half), im: resizeLast(im, half) }, length);
      return inverseTransform(whole).re;
    },
  },
  /** The 2-D discrete Fourier transform over the last two axes: complex64 […, rows, columns] to the same shape. */
  FFT2D: { compose: ([x]) => joined(alongLastTwoAxes(partsOf(x as TfjsTensor), transform)) },
  /** Its inverse, divided by rows · columns. */
  IFFT2D: { compose: ([x]) => joined(alongLastTwoAxes(partsOf(x as TfjsTensor), inverseTransform)) },
};

/** Reshaped: on WebGPU the parts of a complex tensor may have a shape of their own. */
function partsOf(x: TfjsTensor): Complex {
  return { re: reshape(real(x), x.shape), im: reshape(imag(x), x.shape) };
}

function joined({ re, im }: Complex): TfjsTensor {
  return complex(re, im);
}

function alongLastTwoAxes(x: Complex, along: (x: Complex) => Complex): Complex {
  return swapLastAxes(along(swapLastAxes(along(x))));
}

function swapLastAxes({ re, im }: Complex): Complex {
  const axes = re.shape.map((_, axis) => axis);
  const swapped = [...axes.slice(0, -2), re.rank - 1, re.rank - 2];
  return { re: transpose(re, swapped), im: transpose(im, swapped) };
}
