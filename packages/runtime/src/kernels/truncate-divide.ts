import { abs, floorDiv, mul, sign, type Tensor as TfjsTensor } from "@tensorflow/tfjs-core";

/** x/y rounded towards 0, of integers. */
export function truncateDivide(x: TfjsTensor, y: TfjsTensor): TfjsTensor {
  return mul(mul(sign(x), sign(y)), floorDiv(abs(x), abs(y)));
}
