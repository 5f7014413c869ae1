import { InferenceError } from "@nearside/core";

/**
 * Throws `invalid-argument` for a shape that no tensor has. Kernels compute their outputs' shapes from sizes that they
 * were given, and TensorFlow.js's on wasm write as many elements as their product, even of two negative ones.
 */
export function checkOutputShape(shape: readonly number[]): void {
  for (let axis = 0; axis < shape.length; axis++) {
    if (Number.isInteger(shape[axis]) && (shape[axis] as number) >= 0) continue; // of a missing axis it is NaN
    const message = `a kernel's output: expected sizes from 0, got [${shape.join(",")}]; check the inputs`;
    throw new InferenceError("invalid-argument", message);
  }
}
