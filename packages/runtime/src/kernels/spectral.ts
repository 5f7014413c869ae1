import { complex, fft, ifft, imag, real, reshape, type Tensor as TfjsTensor, transpose } from "@tensorflow/tfjs-core";
import type { Kernels } from "./kernel.ts";

/** Fourier transforms over several axes: complex64 […, rows, columns] to the same shape. */
export const spectralKernels: Kernels = {
  /** The 2-D discrete Fourier transform over the last two axes. */
  FFT2D: { compose: ([x]) => alongLastTwoAxes(x as TfjsTensor, fft) },
  /** Its inverse, divided by rows · columns. */
  IFFT2D: { compose: ([x]) => alongLastTwoAxes(x as TfjsTensor, ifft) },
};

function alongLastTwoAxes(x: TfjsTensor, transform: (x: TfjsTensor) => TfjsTensor): TfjsTensor {
  return swapLastAxes(transform(swapLastAxes(transform(x))));
}

/** Part by part: not every backend can transpose complex tensors. */
function swapLastAxes(x: TfjsTensor): TfjsTensor {
  const axes = x.shape.map((_, axis) => axis);
  const swapped = [...axes.slice(0, -2), x.rank - 1, x.rank - 2];
  // Reshaped: on WebGPU the parts of a transform have a shape of two axes, whatever the whole has.
  const swap = (part: TfjsTensor) => transpose(reshape(part, x.shape), swapped);
  return complex(swap(real(x)), swap(imag(x)));
}
