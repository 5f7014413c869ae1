import { expect, test } from "vitest";
import { type Drawing, findInk, imageSide, normaliseDrawing } from "./normalise-drawing.ts";

/** A 280 × 280 canvas with a filled rectangle on it. */
function rectangle(left: number, top: number, width: number, height: number, alpha = 255): Drawing {
  const data = new Uint8ClampedArray(280 * 280 * 4);
  for (let y = top; y < top + height; y++) {
    for (let x = left; x < left + width; x++) data[(y * 280 + x) * 4 + 3] = alpha;
  }
  return { data, width: 280, height: 280 } as Drawing; // ImageData's colour space plays no part
}

function valueAt(image: Float32Array | undefined, column: number, row: number): number | undefined {
  return image?.[row * imageSide + column];
}

function sum(image: Float32Array | undefined): number {
  return image?.reduce((total, value) => total + value, 0) ?? Number.NaN;
}

test("normaliseDrawing gives nothing for an empty canvas", () => {
  expect(normaliseDrawing(rectangle(0, 0, 0, 0))).toBeUndefined();
});

test("normaliseDrawing gives nothing for ink too faint to see", () => {
  expect(normaliseDrawing(rectangle(10, 10, 50, 50, 25))).toBeUndefined();
});

test("normaliseDrawing scales a square to 20 × 20 in the middle", () => {
  const image = normaliseDrawing(rectangle(15, 60, 100, 100));
  expect(image).toHaveLength(28 * 28);
  expect(sum(image)).toBeCloseTo(20 * 20, 3);
  for (const [column, row, value] of [
    [3, 14, 0],
    [4, 4, 1],
    [23, 23, 1],
    [24, 14, 0],
    [14, 3, 0],
    [14, 24, 0],
  ] as const) {
    expect(valueAt(image, column, row)).toBeCloseTo(value, 6);
  }
});

test("normaliseDrawing keeps the proportions of a tall stroke", () => {
  const image = normaliseDrawing(rectangle(130, 20, 20, 200));
  expect(sum(image)).toBeCloseTo(20 * 2, 3);
  expect(valueAt(image, 13, 4)).toBeCloseTo(1, 6);
  expect(valueAt(image, 14, 23)).toBeCloseTo(1, 6);
  expect(valueAt(image, 12, 14)).toBeCloseTo(0, 6);
});

test("normaliseDrawing gives the same image wherever the drawing is", () => {
  const corner = normaliseDrawing(rectangle(0, 0, 37, 91));
  const middle = normaliseDrawing(rectangle(120, 101, 37, 91));
  for (const [index, value] of (corner ?? []).entries()) expect(middle?.[index]).toBeCloseTo(value, 6);
});

test("normaliseDrawing averages the ink under a pixel that is covered in part", () => {
  const image = normaliseDrawing(rectangle(100, 40, 30, 200)); // 3 pixels wide: from 12.5 to 15.5
  expect([12, 13, 14, 15].map((column) => valueAt(image, column, 14)?.toFixed(3))).toEqual([
    "0.500",
    "1.000",
    "1.000",
    "0.500",
  ]);
});

test("normaliseDrawing enlarges a dot", () => {
  expect(sum(normaliseDrawing(rectangle(7, 7, 10, 10)))).toBeCloseTo(20 * 20, 3);
});

test("findInk gives the smallest box around the ink", () => {
  expect(findInk(rectangle(5, 7, 11, 13))).toEqual({ left: 5, top: 7, right: 16, bottom: 20 });
});
