import { isImage, type RunInputs } from "@nearside/core";

/** Inputs whose images have bitmaps of their own, for a message to hand over. */
export interface ImageCopies {
  readonly inputs: RunInputs;
  readonly bitmaps: readonly ImageBitmap[];
}

/** Copies the images among the inputs, so that these can be run again; undefined if there are none. */
export function copyImages(inputs: RunInputs): Promise<ImageCopies> | undefined {
  return Object.values(inputs).some(isImage) ? copyAll(inputs) : undefined;
}

async function copyAll(inputs: RunInputs): Promise<ImageCopies> {
  const bitmaps: ImageBitmap[] = [];
  const copies = Object.entries(inputs).map(async ([name, input]) => {
    if (!isImage(input)) return [name, input] as const;
    const pixels = await createImageBitmap(input.pixels as ImageBitmap); // image() made it of one
    bitmaps.push(pixels);
    return [name, { ...input, pixels }] as const;
  });
  return { inputs: Object.fromEntries(await Promise.all(copies)), bitmaps };
}
