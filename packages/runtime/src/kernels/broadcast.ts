import { broadcast_util } from "@tensorflow/tfjs-core";
import type { Kernel } from "./kernel.ts";
import type { KernelAttrs } from "./kernel-attrs.ts";
import { invalid, numbersOf, numericTensor, sizeOf } from "./plain-tensors.ts";

/** Where each element of a tensor of `shape` comes from in one of `own` that is broadcast to it, or tiled. */
export function broadcastPlaces(own: readonly number[], shape: readonly number[]): readonly number[] {
  const missing = shape.length - own.length;
  return Array.from({ length: sizeOf(shape) }, (_, at) => {
    let [from, stride, rest] = [0, 1, at];
    for (let axis = shape.length - 1; axis >= missing; axis--) {
      const [size = 1, width = 1] = [shape[axis], own[axis - missing]];
      from += ((rest % size) % width) * stride;
      stride *= width;
      rest = Math.floor(rest / size);
    }
    return from;
  });
}

/** What tensors of these shapes are broadcast to. Throws `invalid-argument` where they don't fit. */
export function broadcastShape(op: string, ...shapes: readonly (readonly number[])[]): number[] {
  try {
    return shapes.reduce<number[]>((whole, own) => broadcast_util.assertAndGetBroadcastShape(whole, [...own]), []);
  } catch (cause) {
    const got = shapes.map((shape) => `[${shape}]`).join(" and ");
    throw invalid(op, `expected shapes that can be broadcast, got ${got}`, cause);
  }
}

/** A plain kernel that computes numbers element by element from inputs that are broadcast; of the first one's dtype. */
export function elementwise(compute: (values: readonly number[], attrs: KernelAttrs) => number): Kernel {
  return {
    compute(inputs, attrs) {
      const shape = broadcastShape(attrs.op, ...inputs.map((input) => input.shape));
      const sources = inputs.map((input) => ({
        values: numbersOf(input),
        places: broadcastPlaces(input.shape, shape),
      }));
      const result = Array.from({ length: sizeOf(shape) }, (_, at) =>
        compute(
          sources.map(({ values, places }) => values[places[at] ?? 0] ?? 0),
          attrs,
        ),
      );
      return numericTensor(inputs[0], shape, result);
    },
  };
}
