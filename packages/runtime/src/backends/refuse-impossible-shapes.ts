import { InferenceError } from "@nearside/core";

type Shape = readonly number[];

/**
 * What makes a kernel's output, but it throws `invalid-argument` for a shape that no tensor has. Kernels compute it from
 * sizes that they were given, and TensorFlow.js's on wasm write as many elements as their product, even of two negative
 * ones.
 */
export function refuseImpossibleShapes<Rest extends unknown[], Output>(
  makeOutput: (shape: Shape, ...rest: Rest) => Output,
): (shape: Shape, ...rest: Rest) => Output {
  return (shape, ...rest) => {
    for (let axis = 0; axis < shape.length; axis++) {
      if (Number.isInteger(shape[axis]) && (shape[axis] as number) >= 0) continue; // of a missing axis it is NaN
      const message = `a kernel's output: expected sizes from 0, got [${shape.join(",")}]; check the inputs`;
      throw new InferenceError("invalid-argument", message);
    }
    return makeOutput(shape, ...rest);
  };
}
