/** What a page does with the frames of a video: opens a model, and makes of each frame what the model takes. */
export interface ImageRunner {
  open(model: string, backend: "wasm" | "webgpu"): Promise<void>;
  /** Resizes it to 224 × 224, normalises it, runs the model, and gives its output. */
  run(frame: OffscreenCanvas): Promise<ArrayLike<number>>;
}

/** Of each channel, as models of ImageNet have them. */
export const mean = [0.485, 0.456, 0.406];
export const std = [0.229, 0.224, 0.225];

export interface ImageCalls {
  open: ImageRunner["open"];
  /** Runs so many Full HD frames, each another; the milliseconds that each took, and the sum of the last output. */
  runFrames(count: number): Promise<{ readonly times: readonly number[]; readonly sum: number }>;
}

/** Offers the runner to the benchmark, which calls it in the page. */
export function offerImages(runner: ImageRunner): void {
  const canvas = new OffscreenCanvas(1920, 1080);
  const context = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D; // there is no other context yet
  const calls: ImageCalls = {
    open: (model, backend) => runner.open(model, backend),
    async runFrames(count) {
      const times: number[] = [];
      let output: ArrayLike<number> = [];
      for (let frame = 0; frame < count; frame++) {
        context.fillStyle = `hsl(${(360 * frame) / count} 80% 50%)`;
        context.fillRect((1820 * frame) / count, 0, 100, 1080);
        const startMs = performance.now();
        output = await runner.run(canvas);
        times.push(performance.now() - startMs);
      }
      return { times, sum: Array.from(output).reduce((sum, value) => sum + value, 0) };
    },
  };
  Object.assign(globalThis, { images: calls });
}
