import { closeImages, type ImageInput, InferenceError, isImage, type RunInputs } from "@nearside/core";

export type Images = Readonly<Record<string, ImageInput>>;

/** Images that are a message's own, and what it hands over of them. */
export interface ImageCopies {
  readonly images: Images;
  readonly bitmaps: readonly ImageBitmap[];
}

/**
 * Copies the images among the inputs, so that these can be run again. Rejects with `invalid-argument` if one was closed,
 * `out-of-memory`.
 */
export async function copyImages(inputs: RunInputs): Promise<ImageCopies> {
  const copying = Object.entries(inputs).flatMap(([name, input]) => (isImage(input) ? [copyImage(name, input)] : []));
  const settled = await Promise.allSettled(copying);
  const images = Object.fromEntries(settled.flatMap((copy) => (copy.status === "fulfilled" ? [copy.value] : [])));
  const failed = settled.find((copy) => copy.status === "rejected");
  if (!failed) return { images, bitmaps: Object.values(images).map(({ pixels }) => pixels) };
  closeImages(images);
  throw failed.reason;
}

async function copyImage(name: string, image: ImageInput) {
  const { pixels, shape, mean, std } = image as ImageInput & { readonly pixels: ImageBitmap }; // image() made it
  const lists = { shape: [...shape], mean: [...mean], std: [...std] }; // as plain as `plainTensors` makes them
  try {
    return [name, { ...image, ...lists, pixels: await createImageBitmap(pixels) }] as const;
  } catch (cause) {
    if (pixels.width > 0) throw new InferenceError("out-of-memory", `image "${name}": no memory to copy it`, { cause });
    throw new InferenceError("invalid-argument", `image "${name}": it was closed before its runs were over`, { cause });
  }
}
