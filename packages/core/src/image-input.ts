import { InferenceError } from "./errors.ts";
import type { Tensor, Tensors } from "./tensor.ts";

/**
 * An image on its way to a run, in the place of a float32 tensor: its session resizes and normalises the pixels where it
 * runs. `image()` of the SDK makes it of whatever has pixels. Runs leave it as it is.
 */
export interface ImageInput {
  readonly dtype: "float32";
  /** Of the tensor that it becomes: [1, height, width, channels], or [1, channels, height, width] if `layout` says so. */
  readonly shape: readonly number[];
  readonly pixels: Bitmap;
  readonly fit: "cover" | "contain" | "stretch";
  readonly layout: "nhwc" | "nchw";
  readonly channels: "rgb" | "bgr" | "grey";
  /** An element is (pixel · scale − mean) / std, of a pixel from 0 to 255. */
  readonly scale: number;
  /** One for each channel, in their order. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** An `ImageBitmap`, as far as platforms without one know it. */
export interface Bitmap {
  readonly width: number;
  readonly height: number;
  close(): void;
}

/** What a run may take by name. */
export type RunInputs = Readonly<Record<string, Tensor | ImageInput>>;

export function isImage(input: object): input is ImageInput {
  return "pixels" in input;
}

/** Whether there is no image among the inputs. */
export function areTensors(inputs: RunInputs): inputs is Tensors {
  return !Object.values(inputs).some(isImage);
}

/** Closes the images among inputs that nobody else has. */
export function closeImages(inputs: RunInputs): void {
  for (const input of Object.values(inputs)) if (isImage(input)) input.pixels.close();
}

/** The inputs where no image can be read, as in Node. Throws `unsupported` if there is one among them. */
export function withoutImages(inputs: RunInputs): Tensors {
  if (areTensors(inputs)) return inputs;
  const image = Object.keys(inputs).find((name) => isImage(inputs[name] as RunInputs[string])); // its own key
  throw new InferenceError(
    "unsupported",
    `input "${image}": expected a tensor, got an image, which only browsers read`,
  );
}
