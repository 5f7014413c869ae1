import { elementCount } from "@nearside/core";
import type { Box } from "../graph/graph.ts";

/** A box of a row-major array: the bytes of the whole array, and the array's shape. */
export interface ByteArray {
  readonly bytes: Uint8Array;
  readonly shape: readonly number[];
}

/** Copies the box of `lengths` that starts at `from.starts` in one array to where it starts in the other. */
export function copyBox(
  from: ByteArray & { readonly starts: readonly number[] },
  to: ByteArray & { readonly starts: readonly number[] },
  lengths: readonly number[],
  elementBytes: number,
): void {
  const rank = lengths.length;
  const rows = elementCount(lengths.slice(0, -1));
  const rowBytes = (lengths[rank - 1] ?? 1) * elementBytes;
  for (let row = 0; row < rows; row++) {
    const source = rowOffset(row, lengths, from) * elementBytes;
    to.bytes.set(from.bytes.subarray(source, source + rowBytes), rowOffset(row, lengths, to) * elementBytes);
  }
}

/** The element at which row `row` of the box begins in an array that holds the box from `starts` on. */
function rowOffset(
  row: number,
  lengths: readonly number[],
  { shape, starts }: { readonly shape: readonly number[]; readonly starts: readonly number[] },
): number {
  let offset = 0;
  let stride = 1;
  let rest = row;
  for (let axis = lengths.length - 1; axis >= 0; axis--) {
    const isRowAxis = axis === lengths.length - 1;
    const length = lengths[axis] ?? 1;
    offset += ((starts[axis] ?? 0) + (isRowAxis ? 0 : rest % length)) * stride;
    if (!isRowAxis) rest = Math.floor(rest / length);
    stride *= shape[axis] ?? 1;
  }
  return offset;
}

/** `box` with its `−1` lengths, which mean all of a dimension, written out for an array of this shape. */
export function resolveBox(box: Box, shape: readonly number[]): Box {
  return { starts: box.starts, lengths: box.lengths.map((length, axis) => (length < 0 ? (shape[axis] ?? 0) : length)) };
}

/** True if both boxes cover the same elements of an array. */
export function isSameBox(a: Box, b: Box): boolean {
  return String(a.starts) === String(b.starts) && String(a.lengths) === String(b.lengths);
}

/** True if `box` lies within an array of this shape. */
export function isInside(box: Box, shape: readonly number[]): boolean {
  return (
    box.starts.length === shape.length &&
    box.lengths.length === shape.length &&
    shape.every((size, axis) => {
      const start = box.starts[axis] ?? -1;
      const length = box.lengths[axis] ?? -1;
      return start >= 0 && length >= 0 && start + length <= size;
    })
  );
}
