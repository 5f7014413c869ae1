import { broadcast_util, equal, notEqual, type Tensor as TfjsTensor, tensor } from "@tensorflow/tfjs-core";
import type { Kernels } from "./kernel.ts";

/**
 * Comparisons that hold for strings, too, broadcast: TensorFlow.js on wasm says «unsupported» on the console and
 * answers with whatever was in memory. Strings are not on the device, so reading them waits for nothing.
 */
export const comparisonKernels: Kernels = {
  Equal: { compose: ([a, b]) => compare(a as TfjsTensor, b as TfjsTensor, equal, true) }, // they have two inputs
  NotEqual: { compose: ([a, b]) => compare(a as TfjsTensor, b as TfjsTensor, notEqual, false) },
};

function compare(a: TfjsTensor, b: TfjsTensor, compareNumbers: typeof equal, ifSame: boolean): TfjsTensor {
  if (a.dtype !== "string") return compareNumbers(a, b);
  const shape = broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
  const [left, right] = [a, b].map((input) => broadcast(input, shape)) as [string[], string[]];
  return tensor(
    left.map((text, index) => (text === right[index]) === ifSame),
    shape,
    "bool",
  );
}

/** The elements as they stand once the tensor is repeated along axes of size 1 to this shape. */
function broadcast(input: TfjsTensor, shape: readonly number[]): string[] {
  const texts = input.dataSync<"string">() as unknown as readonly string[]; // the types have no strings
  const missing = shape.length - input.shape.length;
  const count = shape.reduce((product, size) => product * size, 1);
  return Array.from({ length: count }, (_, at) => {
    let [from, stride, rest] = [0, 1, at];
    for (let axis = shape.length - 1; axis >= missing; axis--) {
      const [size = 1, own = 1] = [shape[axis], input.shape[axis - missing]];
      if (own !== 1) from += (rest % size) * stride;
      stride *= own;
      rest = Math.floor(rest / size);
    }
    return texts[from] as string; // within, as from counts the input's own places
  });
}
