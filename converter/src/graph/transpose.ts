import type { Elements } from "./elementwise.ts";

/** Puts the elements of `from`, transposed by `permutation`, into `into`. */
export function transpose<T extends { [index: number]: number; readonly length: number }>(
  { shape, elements }: Elements,
  permutation: readonly number[],
  into: T,
): T {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const sizes = permutation.map((axis) => shape[axis] ?? 1);
  for (let at = 0; at < into.length; at++) {
    let place = 0;
    let rest = at;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      const size = sizes[axis] ?? 1;
      place += (rest % size) * (strides[permutation[axis] ?? 0] ?? 0);
      rest = Math.floor(rest / size);
    }
    into[at] = elements[place] ?? Number.NaN;
  }
  return into;
}
