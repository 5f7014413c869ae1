import type { ImageInput, Tensor } from "@nearside/core";
import { imageReader } from "./image-reader.ts";

/** The tensor that a run makes of an image, computed in a worker: to see what the model sees, or for other uses. */
export async function readImage(image: ImageInput): Promise<Tensor<"float32">> {
  const reader = imageReader();
  try {
    const tensors = await reader.read({ image });
    return tensors.image as Tensor<"float32">; // of the very name
  } finally {
    reader.close();
  }
}
