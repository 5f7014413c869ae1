import { image, type RunOptions, readImage, type Tensor } from "nearside";
import { openTarget, settle, type Target } from "./target.ts";

/** What a framework puts around an object of a page, and around what is read from it. */
function watched<T extends object>(object: T): T {
  return new Proxy(object, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      const isPlain = Array.isArray(value) || Object.getPrototypeOf(Object(value)) === Object.prototype;
      return isPlain ? watched(value as object) : value;
    },
  });
}

const tensorOf = (data: Float32Array<ArrayBuffer>): Tensor<"float32"> => ({
  dtype: "float32",
  shape: [1, 1, 1, data.length],
  data,
});

const values = [1, 2, 3];

/** The values 1, 2, 3 in tensors that pages come to have. */
const tensors = {
  watched: () => watched(tensorOf(Float32Array.from(values))),
  "with a method": () => ({ ...tensorOf(Float32Array.from(values)), dispose() {} }),
  "of a frame": () => {
    const frame = document.body.appendChild(document.createElement("iframe"));
    const elsewhere = frame.contentWindow as unknown as typeof globalThis; // it is in the document
    return tensorOf(elsewhere.Float32Array.from(values));
  },
  "in WebAssembly's memory": () => {
    const data = new Float32Array(new WebAssembly.Memory({ initial: 1 }).buffer, 4, 3);
    data.set(values);
    return tensorOf(data);
  },
} satisfies Record<string, () => Tensor>;

export type TensorName = keyof typeof tensors;

export const runInputCalls = {
  /** Runs a tensor of 1, 2, 3. */
  runTensor: (target: Target, name: TensorName, options: RunOptions) =>
    settle(
      (async () => {
        await using session = await openTarget(target);
        const { y } = await session.run({ x: tensors[name]() }, options);
        return [...(y as Tensor<"float32">).data];
      })(),
    ),

  /** Runs a watched image of one pixel. */
  runWatchedImage: (target: Target) =>
    settle(
      (async () => {
        const pixels = new ImageData(Uint8ClampedArray.of(255, 0, 51, 255), 1, 1);
        await using session = await openTarget(target);
        const { y } = await session.run({ x: watched(await image(pixels, { scale: 1 })) });
        return [...(y as Tensor<"float32">).data];
      })(),
    ),

  /** Runs and reads a picture of another origin, which didn't permit this. */
  useForeignImage: async (target: Target, url: string) => {
    const picture = new Image();
    picture.src = url;
    await picture.decode();
    const given = await image(picture);
    await using session = await openTarget(target);
    return [await settle(session.run({ x: given })), await settle(readImage(given))];
  },
};
