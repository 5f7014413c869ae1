import { decodeText } from "@nearside/core";
import { equal, notEqual, type Tensor as TfjsTensor, tensor } from "@tensorflow/tfjs-core";
import { broadcastPlaces, broadcastShape } from "./broadcast.ts";
import type { Kernels } from "./kernel.ts";
import { bytesOf } from "./string-bytes.ts";

/**
 * Comparisons that hold for strings, too, broadcast: TensorFlow.js on wasm says «unsupported» on the console and
 * answers with whatever was in memory.
 */
export const comparisonKernels: Kernels = {
  Equal: { compose: ([a, b], { op }) => compare(op, [a as TfjsTensor, b as TfjsTensor], equal) }, // they have two inputs
  NotEqual: { compose: ([a, b], { op }) => compare(op, [a as TfjsTensor, b as TfjsTensor], notEqual) },
};

function compare(op: string, [a, b]: readonly [TfjsTensor, TfjsTensor], compareNumbers: typeof equal): TfjsTensor {
  const shape = broadcastShape(op, a.shape, b.shape);
  if (a.dtype !== "string") return compareNumbers(a, b);
  const [left, right] = [a, b].map((input) => broadcast(input, shape)) as [string[], string[]];
  return tensor(
    left.map((text, index) => (text === right[index]) === (compareNumbers === equal)),
    shape,
    "bool",
  );
}

/** The elements as they stand once the tensor is repeated along axes of size 1 to this shape. */
function broadcast(input: TfjsTensor, shape: readonly number[]): string[] {
  const texts = bytesOf(input).map(decodeText);
  return broadcastPlaces(input.shape, shape).map((place) => texts[place] as string); // places within the input
}
