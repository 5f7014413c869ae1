import { matMul, tensor2d, tidy } from "@tensorflow/tfjs-core";

/**
 * Multiplies two matrices of small whole numbers on the current backend and checks the product: a broken device (a null
 * adapter, a wrong driver) computes garbage without an error. The product times a vector, (A·B)·v, is compared with
 * A·(B·v) in plain JavaScript, which takes fewer steps than A·B would. Throws at the first wrong row. `size`: of rows and
 * columns.
 */
export async function selfTest(size: number): Promise<void> {
  const left = numbers(size, 5);
  const right = numbers(size, 7);
  const product = tidy(() => matMul(tensor2d(left, [size, size]), tensor2d(right, [size, size])));
  try {
    const computed = await product.data();
    const vector = Float64Array.from({ length: size }, (_, index) => (index + 1) ** 3);
    const expected = multiplyVector(left, multiplyVector(right, vector));
    for (const [row, sum] of multiplyVector(computed, vector).entries()) {
      if (sum === expected[row]) continue;
      throw new Error(`it multiplies wrongly: expected ${expected[row]} of row ${row}, got ${sum}`);
    }
  } finally {
    product.dispose();
  }
}

/** Whole numbers from −6 to 6, so that every sum is exact in float32 and, on devices that use it, in float16. */
function numbers(size: number, step: number): Float32Array {
  const matrix = new Float32Array(size * size);
  for (let index = 0; index < matrix.length; index++) matrix[index] = ((index * step) % 13) - 6;
  return matrix;
}

/** A matrix times a vector; exact, since all are whole numbers below 2⁵³. */
function multiplyVector(matrix: ArrayLike<number>, vector: Float64Array): Float64Array {
  const size = vector.length;
  const product = new Float64Array(size);
  for (let row = 0; row < size; row++) {
    let sum = 0;
    for (let k = 0; k < size; k++) sum += (matrix[row * size + k] as number) * (vector[k] as number);
    product[row] = sum;
  }
  return product;
}
