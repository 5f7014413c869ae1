import type { TensorInfo } from "@tensorflow/tfjs-core";
import { broadcastShape } from "./broadcast.ts";
import { invalid } from "./plain-tensors.ts";

/** Which of two matrices, or batches of them, are multiplied transposed. */
export interface Transposed {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** The batches of a product. Throws `invalid-argument` for matrices that don't fit: one would be read beyond its end. */
export function checkProduct(
  op: string,
  a: TensorInfo,
  b: TensorInfo,
  { transposeA, transposeB }: Transposed,
): number[] {
  const inner = [a.shape.at(transposeA ? -2 : -1), b.shape.at(transposeB ? -1 : -2)];
  if (a.shape.length < 2 || b.shape.length < 2 || inner[0] !== inner[1]) {
    throw invalid(op, `expected sizes that fit, got [${a.shape}] and [${b.shape}]`);
  }
  return broadcastShape(op, a.shape.slice(0, -2), b.shape.slice(0, -2));
}
