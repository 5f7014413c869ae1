import { matMul, tensor2d, tidy } from "@tensorflow/tfjs-core";

// Above 1000 elements: the WebGPU backend computes smaller tensors on the CPU, which would prove nothing.
const size = 64;

/**
 * Multiplies two matrices of small whole numbers on the current backend and compares with plain JavaScript: a broken
 * device (a null adapter, a wrong driver) computes garbage without an error. Throws at the first wrong element.
 */
export async function selfTest(): Promise<void> {
  const left = numbers(5);
  const right = numbers(7);
  const product = tidy(() => matMul(tensor2d(left, [size, size]), tensor2d(right, [size, size])));
  try {
    const computed = await product.data();
    for (let index = 0; index < size * size; index++) {
      const expected = dot(left, right, Math.floor(index / size), index % size);
      if (computed[index] !== expected) {
        throw new Error(`it multiplies wrongly: expected ${expected} at ${index}, got ${computed[index]}`);
      }
    }
  } finally {
    product.dispose();
  }
}

/** Whole numbers from −6 to 6, so that every sum is exact in float32 and, on devices that use it, in float16. */
function numbers(step: number): Float32Array {
  return Float32Array.from({ length: size * size }, (_, index) => ((index * step) % 13) - 6);
}

function dot(left: Float32Array, right: Float32Array, row: number, column: number): number {
  let sum = 0;
  for (let k = 0; k < size; k++) sum += (left[row * size + k] as number) * (right[k * size + column] as number);
  return sum;
}
