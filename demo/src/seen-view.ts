import { imageSide } from "./normalise-drawing.ts";

/** Shows the 28 × 28 image that the model is given. */
export interface SeenView {
  show(image: Float32Array | undefined): void;
  /** Draws the image again, after the colours have changed. */
  repaint(): void;
}

/** Returns the view on a canvas of 28 × 28 pixels, which the page enlarges. */
export function createSeenView(canvas: HTMLCanvasElement): SeenView {
  const context = canvas.getContext("2d");
  let shown: Float32Array | undefined;

  function repaint(): void {
    if (!context) return;
    context.clearRect(0, 0, imageSide, imageSide);
    context.fillStyle = getComputedStyle(canvas).color;
    for (const [index, value] of (shown ?? []).entries()) {
      context.globalAlpha = value;
      context.fillRect(index % imageSide, Math.floor(index / imageSide), 1, 1);
    }
  }

  return {
    show(image) {
      shown = image;
      repaint();
    },
    repaint,
  };
}
