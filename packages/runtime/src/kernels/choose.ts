import { broadcast_util, type Tensor as TfjsTensor, tensor, where } from "@tensorflow/tfjs-core";

/**
 * `a` where the condition holds, else `b`, broadcast. Of a dimension of 0, TensorFlow.js makes 1 when it broadcasts, and
 * the element is what was in memory.
 */
export function choose(condition: TfjsTensor, a: TfjsTensor, b: TfjsTensor): TfjsTensor {
  const broadcast = broadcast_util.assertAndGetBroadcastShape;
  const shape = broadcast(broadcast(condition.shape, a.shape), b.shape);
  return shape.includes(0) ? tensor([], shape, a.dtype) : where(condition, a, b);
}
