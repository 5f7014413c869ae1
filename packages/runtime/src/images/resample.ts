import type { Size } from "./image-plan.ts";

/**
 * Pixels of four channels in another size, by the triangle filter, which is widened where there will be fewer of them so
 * that each has its part: what `tf.image.resize` does with `antialias=True`, and Pillow with `BILINEAR`.
 */
export function resample(pixels: ArrayLike<number>, from: Size, to: Size): ArrayLike<number> {
  const rows = alongAxis(pixels, from.height, triangle(from.width, to.width), 4);
  return alongAxis(rows, 1, triangle(from.height, to.height), to.width * 4);
}

/** What a new pixel takes of the old ones: so much of the first, and of those that follow. */
interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

interface Filter {
  readonly length: number;
  readonly taps: readonly Taps[];
}

function triangle(length: number, newLength: number): Filter {
  const scale = length / newLength;
  const support = Math.max(scale, 1);
  const taps = Array.from({ length: newLength }, (_, index) => {
    const centre = (index + 0.5) * scale;
    const first = Math.max(Math.ceil(centre - support - 0.5), 0);
    const last = Math.min(Math.floor(centre + support - 0.5), length - 1);
    const shares = Array.from({ length: last - first + 1 }, (_, tap) =>
      Math.max(0, 1 - Math.abs(first + tap + 0.5 - centre) / support),
    );
    const total = shares.reduce((sum, share) => sum + share, 0);
    return { first, weights: shares.map((share) => share / total) };
  });
  return { length, taps };
}

/** Elements of [outer, length, inner], filtered along the axis between. */
function alongAxis(source: ArrayLike<number>, outer: number, { length, taps }: Filter, inner: number): Float32Array {
  const target = new Float32Array(outer * taps.length * inner);
  let to = 0;
  for (let row = 0; row < outer; row++) {
    for (const { first, weights } of taps) {
      let from = (row * length + first) * inner;
      for (const weight of weights) {
        for (let at = 0; at < inner; at++, from++)
          target[to + at] = Number(target[to + at]) + weight * Number(source[from]);
      }
      to += inner;
    }
  }
  return target;
}
