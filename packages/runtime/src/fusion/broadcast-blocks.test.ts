import { expect, test } from "vitest";
import { broadcastBlocks } from "./broadcast-blocks.ts";

/** The places in an operand of `shape` that the elements of the result need, by its blocks. */
function places(shape: readonly number[], result: readonly number[]): readonly number[] {
  const blocks = broadcastBlocks(shape, result);
  const count = result.reduce((product, size) => product * size, 1);
  return Array.from({ length: count }, (_, place) =>
    blocks.reduce((sum, { stride, size, step }) => sum + (Math.floor(place / stride) % size) * step, 0),
  );
}

/** The same, axis by axis. */
function expected(shape: readonly number[], result: readonly number[]): readonly number[] {
  const own = [...new Array<number>(result.length - shape.length).fill(1), ...shape];
  const count = result.reduce((product, size) => product * size, 1);
  return Array.from({ length: count }, (_, place) => {
    let [rest, at, step] = [place, 0, 1];
    for (let axis = result.length - 1; axis >= 0; axis--) {
      const [size = 1, whole = 1] = [own[axis], result[axis]];
      at += size > 1 ? (rest % whole) * step : 0;
      rest = Math.floor(rest / whole);
      step *= size;
    }
    return at;
  });
}

test.each([
  [[], [2, 3]],
  [[3], [2, 3]],
  [
    [2, 1],
    [2, 3],
  ],
  [
    [2, 3],
    [2, 3],
  ],
  [
    [1, 3, 1],
    [2, 3, 4],
  ],
  [
    [2, 1, 4],
    [2, 3, 4],
  ],
  [
    [2, 3, 1, 1, 2],
    [2, 3, 4, 1, 2],
  ],
  [
    [5, 1, 1, 7],
    [5, 1, 1, 7],
  ],
  [
    [3, 1, 2],
    [4, 3, 1, 2],
  ],
])("an operand %j of a result %j is found by its blocks", (shape, result) => {
  expect(places(shape, result)).toEqual(expected(shape, result));
});

test("axes that lie together are one block", () => {
  expect(broadcastBlocks([3, 4], [2, 3, 4])).toEqual([{ stride: 1, size: 12, step: 1 }]);
  expect(broadcastBlocks([2, 3, 1], [2, 3, 4])).toEqual([{ stride: 4, size: 6, step: 1 }]);
});
