import { readFileSync } from "node:fs";

/** A digit as a mouse drew it: strokes of points in pixels of a 280 × 280 canvas. */
export interface Drawing {
  readonly digit: number;
  readonly style: string;
  readonly strokes: readonly (readonly (readonly [x: number, y: number])[])[];
}

const file = new URL("../examples/models/digits/drawings.json", import.meta.url);

/** The hand-like drawings of examples/models/digits, and the width in pixels of the round pen that drew them. */
export const { drawings, penWidth } = JSON.parse(readFileSync(file, "utf8")) as {
  readonly drawings: readonly Drawing[];
  readonly penWidth: number;
};
