import type { Elements } from "./elementwise.ts";

/** An order in which to read elements: along `dims`, last first, `strides` apart, from `offset`. */
export interface Walk {
  readonly dims: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** Puts the elements of `from` into `into`, in the order of `walk`: transposed, sliced, reversed, repeated. */
export function copyStrided<T extends { [index: number]: number; readonly length: number }>(
  from: ArrayLike<number>,
  { dims, strides, offset }: Walk,
  into: T,
): T {
  const place = dims.map(() => 0);
  let at = offset;
  for (let index = 0; index < into.length; index++) {
    into[index] = from[at] ?? Number.NaN;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      const [step, next] = [strides[axis] ?? 0, (place[axis] ?? 0) + 1];
      at += step;
      place[axis] = next;
      if (next < (dims[axis] ?? 1)) break;
      at -= step * next;
      place[axis] = 0;
    }
  }
  return into;
}

/** Puts the sums of the elements over `axes` into `into`, each rounded once. */
export function sumOver<T extends { [index: number]: number; readonly length: number }>(
  { shape, elements }: Elements,
  axes: readonly number[],
  into: T,
): T {
  const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const strides = stridesOf(shape);
  const sizes = (list: readonly number[]) => list.map((axis) => shape[axis] ?? 1);
  const walk = { dims: sizes([...kept, ...axes]), strides: [...kept, ...axes].map((axis) => strides[axis] ?? 0) };
  const terms = copyStrided(elements, { ...walk, offset: 0 }, new Float32Array(elements.length));
  const count = elements.length / Math.max(1, into.length);
  for (let at = 0; at < into.length; at++) {
    into[at] = terms.subarray(at * count, (at + 1) * count).reduce((sum, term) => sum + term, 0);
  }
  return into;
}

/** Puts the elements of `parts` into `into`, one part after another along `axis`. */
export function joinAlong<T extends { [index: number]: number; readonly length: number }>(
  parts: readonly Elements[],
  axis: number,
  into: T,
): T {
  const runs = parts.map(({ shape }) => shape.slice(axis).reduce((product, size) => product * size, 1));
  const rowLength = runs.reduce((sum, run) => sum + run, 0);
  let start = 0;
  for (const [index, { elements }] of parts.entries()) {
    const run = runs[index] ?? 0;
    for (let at = 0; at < elements.length; at++) {
      into[start + Math.floor(at / run) * rowLength + (at % run)] = elements[at] ?? Number.NaN;
    }
    start += run;
  }
  return into;
}

/** How far apart neighbours along each axis lie. */
export function stridesOf(shape: readonly number[]): readonly number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
}
