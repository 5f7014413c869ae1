import type { Tensor } from "@nearside/core";
import { openSession } from "@nearside/server";
import { expect, test } from "vitest";
import { normaliseDrawing, type Drawing as Raster } from "../demo/src/normalise-drawing.ts";
import { type Drawing, drawings, penWidth } from "./drawings.ts";
import { convertModels, readExample } from "./models.ts";

const side = 280;

/** The strokes as a round pen leaves them: every pixel within half the pen's width of a line is ink. */
function rasterise({ strokes }: Drawing): Raster {
  const data = new Uint8ClampedArray(side * side * 4);
  for (const stroke of strokes) {
    for (const [index, to] of stroke.entries()) drawLine(data, stroke[Math.max(0, index - 1)] ?? to, to);
  }
  return { data, width: side, height: side };
}

function drawLine(data: Uint8ClampedArray, [x0, y0]: readonly [number, number], [x1, y1]: readonly [number, number]) {
  const radius = penWidth / 2;
  const [dx, dy] = [x1 - x0, y1 - y0];
  const lengthSquared = dx * dx + dy * dy || 1; // a point is a line without a direction
  for (let y = Math.max(0, Math.min(y0, y1) - radius); y <= Math.min(side - 1, Math.max(y0, y1) + radius); y++) {
    for (let x = Math.max(0, Math.min(x0, x1) - radius); x <= Math.min(side - 1, Math.max(x0, x1) + radius); x++) {
      const along = Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / lengthSquared));
      const distance = Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
      if (distance <= radius) data[(y * side + x) * 4 + 3] = 255;
    }
  }
}

test("the converted digits model reads every hand-like drawing", async () => {
  expect(drawings.length).toBeGreaterThanOrEqual(100);
  const digits = await readExample("digits");
  await using models = await convertModels([digits]);
  await using session = await openSession(`${models.folder}/digits`);
  const misses: string[] = [];
  for (const [index, drawing] of drawings.entries()) {
    const data = normaliseDrawing(rasterise(drawing)) as Float32Array<ArrayBuffer>; // no drawing is empty
    const image: Tensor = { dtype: "float32", shape: [1, 28, 28, 1], data };
    const { probabilities } = await session.run({ image });
    const values = Array.from(probabilities?.data as Float32Array);
    const read = values.indexOf(Math.max(...values));
    if (read !== drawing.digit) misses.push(`drawing ${index}, a ${drawing.digit} (${drawing.style}), read as ${read}`);
  }
  expect(misses).toEqual([]);
});
