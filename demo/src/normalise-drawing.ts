/** The model's image is this many pixels wide and high. */
export const imageSide = 28;

const inkSide = 20; // the longer side of the ink in that image
const inkLevel = 25; // of 255: fainter pixels do not stretch the bounding box

/** Left and top inclusive, right and bottom exclusive, in canvas pixels. */
export interface InkBox {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** RGBA pixels, as `getImageData` gives them. Ink is their alpha; the colour does not matter. */
export type Drawing = Pick<ImageData, "data" | "width" | "height">;

/**
 * Turns a drawing into what the model was trained on: 28 × 28 values from 0 (background) to 1 (ink), row by row.
 * The ink's bounding box is scaled, keeping its proportions, until its longer side is 20 pixels, and centred.
 * Each value is the exact mean of the ink under its pixel (a box filter), so thin strokes never fall between samples.
 * Returns undefined where there is no ink.
 *
 * Training does the same in examples/models/digits/normalise.py: change both, or neither.
 */
export function normaliseDrawing(drawing: Drawing): Float32Array<ArrayBuffer> | undefined {
  const box = findInk(drawing);
  if (!box) return undefined;
  const pixelSide = Math.max(box.right - box.left, box.bottom - box.top) / inkSide; // of the image, in canvas pixels
  const left = (box.left + box.right - pixelSide * imageSide) / 2;
  const top = (box.top + box.bottom - pixelSide * imageSide) / 2;
  const image = new Float32Array(imageSide * imageSide);
  for (let row = 0; row < imageSide; row++) {
    for (let column = 0; column < imageSide; column++) {
      const ink = sumInk(drawing, left + column * pixelSide, top + row * pixelSide, pixelSide);
      image[row * imageSide + column] = ink / (255 * pixelSide * pixelSide);
    }
  }
  return image;
}

/** The smallest box around everything drawn, or undefined if nothing is. */
export function findInk({ data, width, height }: Drawing): InkBox | undefined {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (alphaAt(data, width, x, y) <= inkLevel) continue;
      left = Math.min(left, x);
      top = Math.min(top, y);
      right = Math.max(right, x + 1);
      bottom = y + 1;
    }
  }
  return right > left ? { left, top, right, bottom } : undefined;
}

/** The ink under a square, where a canvas pixel counts by the share of it that the square covers. */
function sumInk({ data, width, height }: Drawing, left: number, top: number, side: number): number {
  let sum = 0;
  for (let y = Math.max(0, Math.floor(top)); y < Math.min(height, top + side); y++) {
    const coveredY = Math.min(y + 1, top + side) - Math.max(y, top);
    for (let x = Math.max(0, Math.floor(left)); x < Math.min(width, left + side); x++) {
      const coveredX = Math.min(x + 1, left + side) - Math.max(x, left);
      sum += alphaAt(data, width, x, y) * coveredX * coveredY;
    }
  }
  return sum;
}

function alphaAt(data: Drawing["data"], width: number, x: number, y: number): number {
  return data[(y * width + x) * 4 + 3] ?? 0;
}
