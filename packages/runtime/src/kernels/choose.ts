import { type Tensor as TfjsTensor, tensor, where } from "@tensorflow/tfjs-core";
import { broadcastShape } from "./broadcast.ts";

/**
 * `a` where the condition holds, else `b`, broadcast. Of a dimension of 0, TensorFlow.js makes 1 when it broadcasts, and
 * the element is what was in memory.
 */
export function choose(op: string, condition: TfjsTensor, a: TfjsTensor, b: TfjsTensor): TfjsTensor {
  const shape = broadcastShape(op, condition.shape, a.shape, b.shape);
  return shape.includes(0) ? tensor([], shape, a.dtype) : where(condition, a, b);
}
