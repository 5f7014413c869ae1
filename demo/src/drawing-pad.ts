import type { Drawing } from "./normalise-drawing.ts";

/** The drawing's own coordinates run from 0 to this, however large the pad is on the screen. */
export const padSide = 280;

const penWidth = 20;

/** A place on the pad, in its own coordinates. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A square to draw on. Pens (pointer, keyboard) call `begin` and `extend`. */
export interface DrawingPad {
  readonly canvas: HTMLCanvasElement;
  /** Puts the pen down: a dot, until the stroke is extended. */
  begin(point: Point): void;
  /** Draws on from the last point. */
  extend(point: Point): void;
  clear(): void;
  /** The pixels of the 280 × 280 drawing, ink in alpha. */
  pixels(): Drawing;
  /** Draws everything again, after the colours have changed. */
  repaint(): void;
}

/**
 * Makes a canvas a drawing pad. Strokes are painted twice: on the screen in the screen's resolution and the page's
 * colour, and on a raster of always 280 × 280 pixels, so that the model sees the same on every device.
 */
export function createDrawingPad(canvas: HTMLCanvasElement, onChange: () => void): DrawingPad {
  const screen = context2d(canvas);
  const raster = context2d(Object.assign(document.createElement("canvas"), { width: padSide, height: padSide }), true);
  let strokes: Point[][] = [];

  function paint(from: Point, to: Point): void {
    for (const context of [screen, raster]) paintLine(context, from, to);
  }

  function repaint(): void {
    prepare(screen, canvas.width / padSide, getComputedStyle(canvas).color);
    prepare(raster, 1, "black");
    for (const stroke of strokes) {
      for (const [index, point] of stroke.entries()) paint(stroke[index - 1] ?? point, point);
    }
  }

  new ResizeObserver(() => {
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    if (side === canvas.width) return;
    canvas.width = side;
    canvas.height = side;
    repaint();
  }).observe(canvas);
  repaint();

  return {
    canvas,
    begin(point) {
      strokes.push([point]);
      paint(point, point);
      onChange();
    },
    extend(point) {
      const stroke = strokes.at(-1);
      const last = stroke?.at(-1);
      if (!stroke || !last || (last.x === point.x && last.y === point.y)) return;
      stroke.push(point);
      paint(last, point);
      onChange();
    },
    clear() {
      if (strokes.length === 0) return;
      strokes = [];
      repaint();
      onChange();
    },
    pixels: () => raster.getImageData(0, 0, padSide, padSide),
    repaint,
  };
}

/** Clears a canvas and sets the pen that draws on it, in the pad's coordinates. */
function prepare(context: CanvasRenderingContext2D, scale: number, color: string): void {
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  context.scale(scale, scale);
  context.strokeStyle = color;
  context.lineWidth = penWidth;
  context.lineCap = "round";
}

function paintLine(context: CanvasRenderingContext2D, from: Point, to: Point): void {
  context.beginPath();
  context.moveTo(from.x, from.y);
  context.lineTo(to.x, to.y);
  context.stroke();
}

function context2d(canvas: HTMLCanvasElement, willReadFrequently = false): CanvasRenderingContext2D {
  const context = canvas.getContext("2d", { willReadFrequently });
  if (!context) throw new Error("this browser gave no 2D canvas to draw on");
  return context;
}
