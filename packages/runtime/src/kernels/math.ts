import type { Tensor } from "@nearside/core";
import {
  cast,
  div,
  divNoNan,
  equal,
  exp,
  expandDims,
  greaterEqual,
  less,
  log,
  log1p,
  max,
  minimum,
  mul,
  reshape,
  scalar,
  sub,
  sum,
  type Tensor as TfjsTensor,
  tensor1d,
  zerosLike,
} from "@tensorflow/tfjs-core";
import { broadcastShape } from "./broadcast.ts";
import { choose } from "./choose.ts";
import type { Kernel, Kernels } from "./kernel.ts";
import { boolTensor, float32Tensor, invalid, numberOf, numbersOf, sizeOf } from "./plain-tensors.ts";

/** Arithmetic, element by element unless it says otherwise. */
export const mathKernels: Kernels = {
  /** x·log(y), and 0 where x is 0, whatever y is. Broadcasts. */
  Xlogy: zeroWhereZero((x, y) => mul(x, log(y))),
  /** x·log(1 + y), and 0 where x is 0. */
  Xlog1py: zeroWhereZero((x, y) => mul(x, log1p(y))),
  /** x/y, and 0 where x is 0. */
  Xdivy: zeroWhereZero(div),
  /** x − log Σ exp(x) along the last axis, of what the greatest is taken off; TensorFlow.js has no kernel of it. */
  LogSoftmax: {
    compose([x], { op }) {
      const logits = x as TfjsTensor; // it has one input
      if (logits.rank === 0) throw invalid(op, "expected a vector, or several, got a scalar");
      const rest = sub(logits, max(logits, -1, true));
      return sub(rest, log(sum(exp(rest), -1, true)));
    },
  },
  /** x/y, and 0 where y is 0. */
  DivNoNan: {
    compose([x, y], { op }) {
      const [left, right] = [x as TfjsTensor, y as TfjsTensor]; // it has two inputs
      broadcastShape(op, left.shape, right.shape);
      return divNoNan(left, right);
    },
  },
  /** int32: how many of the attribute `boundaries` (ascending) are ≤ x. */
  Bucketize: {
    compose([x], attrs) {
      const boundaries = tensor1d([...attrs.numbers("boundaries")], "float32");
      return countUpTo(x as TfjsTensor, boundaries);
    },
  },
  /** The same with the boundaries as an input, of any shape. */
  BucketizeWithInputBoundaries: {
    compose: ([x, boundaries]) => countUpTo(x as TfjsTensor, boundaries as TfjsTensor),
  },
  /** int32 for each of several [n]: how many of its boundaries are < x, at most the number of the last one. */
  BoostedTreesBucketize: {
    compose(inputs, attrs) {
      const count = attrs.int("num_features", inputs.length / 2);
      return inputs.slice(0, count).map((x, index) => {
        const boundaries = inputs[count + index] as TfjsTensor; // as many as there are features
        const below = sum(cast(less(boundaries, expandDims(x, -1)), "int32"), -1);
        return minimum(below, scalar(Math.max(0, boundaries.size - 1), "int32"));
      });
    },
  },
  /** log(Σ exp(x)) over the elements up to each along `axis`; `exclusive` leaves the element itself out (−∞ at first). */
  CumulativeLogsumexp: {
    compute([x, axis], attrs) {
      const { shape } = x as Tensor; // it has two inputs
      const values = numbersOf(x);
      const along = (numberOf(axis) + shape.length) % shape.length;
      const [length, stride] = [shape[along] ?? 0, sizeOf(shape.slice(along + 1))];
      const [isExclusive, isReverse] = [attrs.bool("exclusive", false), attrs.bool("reverse", false)];
      const result = new Array<number>(values.length);
      for (let line = 0; line < values.length / Math.max(1, length); line++) {
        const begin = Math.floor(line / stride) * stride * length + (line % stride);
        let running = Number.NEGATIVE_INFINITY;
        for (let step = 0; step < length; step++) {
          const at = begin + (isReverse ? length - 1 - step : step) * stride;
          const next = logAddExp(running, values[at] ?? 0);
          result[at] = isExclusive ? running : next;
          running = next;
        }
      }
      return float32Tensor(shape, result);
    },
  },
  /** bool [b]: whether the target class of each row of predictions [b, c] is among its k largest; ties count. */
  InTopKV2: {
    compute([predictions, targets, k]) {
      const classes = predictions?.shape[1] ?? 0;
      const all = numbersOf(predictions);
      const isIn = numbersOf(targets).map((target, row) => {
        const values = all.slice(row * classes, (row + 1) * classes);
        const own = values[target];
        if (own === undefined || !values.every(Number.isFinite)) return false;
        return values.filter((value) => value > own).length < numberOf(k);
      });
      return boolTensor([isIn.length], isIn);
    },
  },
};

function zeroWhereZero(combine: (x: TfjsTensor, y: TfjsTensor) => TfjsTensor): Kernel {
  return {
    compose([x, y], { op }) {
      const [left, right] = [x as TfjsTensor, y as TfjsTensor]; // it has two inputs
      broadcastShape(op, left.shape, right.shape);
      const result = combine(left, right);
      return choose(op, equal(left, 0), zerosLike(result), result);
    },
  };
}

function countUpTo(x: TfjsTensor, boundaries: TfjsTensor): TfjsTensor {
  return sum(cast(greaterEqual(expandDims(x, -1), reshape(boundaries, [-1])), "int32"), -1);
}

function logAddExp(a: number, b: number): number {
  const [low, high] = a < b ? [a, b] : [b, a];
  return high === Number.NEGATIVE_INFINITY ? high : high + Math.log1p(Math.exp(low - high));
}
