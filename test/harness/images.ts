import { type ImageInput, type ImageOptions, image, readImage, type Tensor } from "nearside";
import { keptSessionCalls, workerOfKept } from "./kept-session.ts";
import { openTarget, settle, type Target } from "./target.ts";

/** A picture of the tests, whose channels are (37y + 91x + 53c + 7xy + seed) mod 256. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly seed?: number;
  /** Of each pixel; 255 by default. */
  readonly alpha?: number;
}

function draw({ width, height, seed = 0, alpha = 255 }: Picture): ImageData {
  const pixels = new ImageData(width, height);
  for (let at = 0; at < pixels.data.length; at++) {
    const [y, x, c] = [Math.floor(at / 4 / width), Math.floor(at / 4) % width, at % 4];
    pixels.data[at] = c === 3 ? alpha : (37 * y + 91 * x + 53 * c + 7 * x * y + seed) % 256;
  }
  return pixels;
}

const dataOf = (tensor: Tensor | undefined) => [...(tensor as Tensor<"float32">).data];

/** Whether a bitmap holds memory: one that was closed, or handed over, has no width. */
const isOpen = ({ width }: { readonly width: number }) => width > 0;

export const imageCalls = {
  /** Runs a picture so often, and reads it. Ends the session's worker in the first run if so asked. */
  runImage: async (target: Target, picture: Picture, times: number, options: ImageOptions, endWorker: boolean) => {
    const given = await image(draw(picture), options);
    await using session = await openTarget(target);
    const runs: number[][] = [];
    for (let run = 0; run < times; run++) {
      const running = session.run({ x: given });
      if (endWorker && run === 0) keptSessionCalls.endWorker();
      runs.push(dataOf((await running).y));
    }
    return { location: session.location, runs, read: dataOf(await readImage(given)) };
  },

  /** Runs so many pictures at once, and between them tensors of the same pixels: their outputs, and what each is to be. */
  runImagesTogether: async (target: Target, count: number, rounds: number) => {
    await using session = await openTarget(target);
    const pictures = Array.from({ length: count }, (_, seed) =>
      image(draw({ width: 9, height: 6 + seed, seed }), { size: 5 }),
    );
    const inputs: (ImageInput | Tensor<"float32">)[] = [];
    for (const picture of await Promise.all(pictures)) inputs.push(picture, await readImage(picture));
    const want = inputs.map((input) => ("data" in input ? [...input.data] : [])).filter(({ length }) => length > 0);
    const got: number[][] = [];
    for (let round = 0; round < rounds; round++) {
      const outputs = await Promise.all(inputs.map((x) => session.run({ x })));
      got.push(...outputs.map(({ y }) => dataOf(y)));
    }
    return { got, want };
  },

  /** Begins a run on a large picture, then one on a tensor, which is filled anew at once: of a model that keeps sums. */
  runInOrder: async (target: Target) => {
    const picture = await image(draw({ width: 2000, height: 2000 }), { size: 1, scale: 0, mean: -1 });
    await using session = await openTarget(target);
    const x: Tensor<"float32"> = { dtype: "float32", shape: [1, 1, 1, 3], data: Float32Array.of(10, 20, 30) };
    const runs = [session.run({ x: picture }), session.run({ x })];
    x.data.fill(1000);
    return (await Promise.all(runs)).map(({ sum }) => dataOf(sum));
  },

  /** Begins a run on a tensor, which is filled anew at once. */
  runAndRefill: async (target: Target, times: number) => {
    await using session = await openTarget(target);
    const got: number[][] = [];
    for (let run = 0; run < times; run++) {
      const x: Tensor<"float32"> = { dtype: "float32", shape: [1, 1, 1, 3], data: Float32Array.of(1, 2, 3) };
      const running = session.run({ x });
      x.data.fill(1000);
      got.push(dataOf((await running).y));
    }
    return got;
  },

  /** Runs a picture whose worker fails while it is copied for it. Tells the output, and which copies are open then. */
  failWhileCopying: async (target: Target) => {
    const picture = await image(draw({ width: 3, height: 2 }), { scale: 1 });
    await using session = await openTarget(target);
    const copies: ImageBitmap[] = [];
    const { createImageBitmap: original } = globalThis;
    globalThis.createImageBitmap = async (source: ImageBitmapSource) => {
      const copy = await original(source);
      copies.push(copy);
      if (copies.length === 1) workerOfKept()?.dispatchEvent(new ErrorEvent("error"));
      return copy;
    };
    try {
      const { y } = await session.run({ x: picture });
      return { y: dataOf(y), copies: copies.map(isOpen), isPictureOpen: isOpen(picture.pixels) };
    } finally {
      globalThis.createImageBitmap = original;
    }
  },

  /** Takes a run on a picture back at once, then runs it. */
  abortImage: async (target: Target) => {
    const picture = await image(draw({ width: 3, height: 2 }), { scale: 1 });
    const session = await openTarget(target);
    const controller = new AbortController();
    const running = settle(session.run({ x: picture }, { signal: controller.signal }));
    controller.abort(new Error("enough"));
    const outcome = await running;
    const { y } = await session.run({ x: picture }, { transfer: true });
    await session.close();
    return { outcome, y: dataOf(y) };
  },

  /** Runs a picture that doesn't fit, or that was closed. */
  refuseImage: async (target: Target, name: string, isClosed: boolean) => {
    const picture = await image(draw({ width: 3, height: 2 }));
    await using session = await openTarget(target);
    if (isClosed) picture.pixels.close();
    return settle(session.run({ [name]: picture }));
  },

  /** Runs a picture on a server, and again where that fails. */
  runImageTwice: async (target: Target) => {
    const picture = await image(draw({ width: 3, height: 2 }), { scale: 1 });
    await using session = await openTarget(target);
    const run = () => settle(session.run({ x: picture }).then(({ y }) => dataOf(y)));
    return [await run(), await run()];
  },
};
