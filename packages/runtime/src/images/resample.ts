import type { Size } from "./image-plan.ts";

/**
 * Pixels of red, green, blue and alpha in another size, without alpha, by the triangle filter, which is widened where there
 * will be fewer of them so that each has its part: what `tf.image.resize` does with `antialias=True`, and Pillow with
 * `BILINEAR`.
 */
export function resample(pixels: Uint8ClampedArray, from: Size, to: Size): Float32Array {
  const columns = acrossRows(pixels, 4, from, triangle(from.width, to.width));
  return acrossRows(columns, 3, { height: to.width, width: from.height }, triangle(from.height, to.height));
}

/** What a new pixel takes of the old ones: so much of the first, and of those that follow. */
interface Taps {
  readonly first: number;
  readonly weights: Float32Array;
}

function triangle(length: number, newLength: number): readonly Taps[] {
  const scale = length / newLength;
  const support = Math.max(scale, 1);
  return Array.from({ length: newLength }, (_, index) => {
    const centre = (index + 0.5) * scale;
    const first = Math.max(Math.ceil(centre - support - 0.5), 0);
    const last = Math.min(Math.floor(centre + support - 0.5), length - 1);
    const shares = Array.from({ length: last - first + 1 }, (_, tap) =>
      Math.max(0, 1 - Math.abs(first + tap + 0.5 - centre) / support),
    );
    const total = shares.reduce((sum, share) => sum + share, 0);
    return { first, weights: Float32Array.from(shares, (share) => share / total) };
  });
}

/** Filters each row of pixels of so many elements, the first three of which count. Gives columns for rows. */
function acrossRows(
  source: Uint8ClampedArray | Float32Array,
  stride: number,
  { height, width }: Size,
  taps: readonly Taps[],
): Float32Array {
  const target = new Float32Array(taps.length * height * 3);
  for (let row = 0; row < height; row++) {
    let to = row * 3;
    for (const { first, weights } of taps) {
      let red = 0;
      let green = 0;
      let blue = 0;
      let from = (row * width + first) * stride;
      for (let tap = 0; tap < weights.length; tap++, from += stride) {
        const weight = weights[tap] as number;
        red += weight * (source[from] as number);
        green += weight * (source[from + 1] as number);
        blue += weight * (source[from + 2] as number);
      }
      target[to] = red;
      target[to + 1] = green;
      target[to + 2] = blue;
      to += height * 3;
    }
  }
  return target;
}
