import { closeImages, type ImageInput, InferenceError, isImage, type RunInputs, type Tensors } from "@nearside/core";

export type Images = Readonly<Record<string, ImageInput>>;

/** The images and the tensors among the inputs. */
export function splitInputs(inputs: RunInputs): { readonly images: Images; readonly tensors: Tensors } {
  const entries = Object.entries(inputs);
  return {
    images: Object.fromEntries(entries.filter((entry): entry is [string, ImageInput] => isImage(entry[1]))),
    tensors: Object.fromEntries(entries.filter(([, input]) => !isImage(input))) as Tensors, // there is no other kind
  };
}

/**
 * The same images with bitmaps of their own, for a message to hand over, so that they can be run again. Rejects with
 * `invalid-argument` if one was closed, `out-of-memory`.
 */
export async function copyImages(images: Images): Promise<Images> {
  const copying = Object.entries(images).map(async ([name, image]) => {
    return [name, { ...image, pixels: await copyBitmap(name, image.pixels as ImageBitmap) }] as const; // image() made it
  });
  const settled = await Promise.allSettled(copying);
  const copies = Object.fromEntries(settled.flatMap((copy) => (copy.status === "fulfilled" ? [copy.value] : [])));
  const failed = settled.find((copy) => copy.status === "rejected");
  if (!failed) return copies;
  closeImages(copies);
  throw failed.reason;
}

async function copyBitmap(name: string, bitmap: ImageBitmap): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(bitmap);
  } catch (cause) {
    if (bitmap.width > 0) throw new InferenceError("out-of-memory", `image "${name}": no memory to copy it`, { cause });
    throw new InferenceError("invalid-argument", `image "${name}": it was closed before its runs were over`, { cause });
  }
}

/** What a message hands over of images. */
export function bitmapsOf(images: Images): ImageBitmap[] {
  return Object.values(images).map(({ pixels }) => pixels as ImageBitmap); // as above
}
