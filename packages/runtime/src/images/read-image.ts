import { type ImageInput, InferenceError, isImage, type RunInputs, type Tensor, type Tensors } from "@nearside/core";
import { type Box, planImage } from "./image-plan.ts";
import { resample } from "./resample.ts";

/** The tensor of an image, resized and normalised in this thread. Throws `out-of-memory`. */
export function readImage(image: ImageInput): Tensor<"float32"> {
  const { size, from, to, channels, isChannelsFirst } = planImage(image);
  const pixels = resample(readPixels(image.pixels as ImageBitmap, from), from, to); // image() made it
  const data = new Float32Array(size.height * size.width * channels.length);
  const [pixelStep, channelStep] = isChannelsFirst ? [1, size.height * size.width] : [channels.length, 1];
  channels.forEach(([red, green, blue, added], channel) => {
    const start = channel * channelStep;
    for (let at = start, end = start + size.height * size.width * pixelStep; at < end; at += pixelStep)
      data[at] = added;
    for (let y = 0; y < to.height; y++) {
      let at = start + ((to.y + y) * size.width + to.x) * pixelStep;
      for (let of = y * to.width * 3, end = of + to.width * 3; of < end; of += 3, at += pixelStep) {
        const [r, g, b] = [pixels[of] as number, pixels[of + 1] as number, pixels[of + 2] as number];
        data[at] = r * red + g * green + b * blue + added;
      }
    }
  });
  return { dtype: "float32", shape: image.shape, data };
}

/** The inputs with tensors for images, read as by {@link readImage}. */
export function readImages(inputs: RunInputs): Tensors {
  const read = (input: RunInputs[string]) => (isImage(input) ? readImage(input) : input);
  return Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, read(input)]));
}

/** Red, green, blue and alpha of each pixel in the box, on black. */
function readPixels(bitmap: ImageBitmap, { x, y, width, height }: Box): Uint8ClampedArray {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new InferenceError("out-of-memory", `image: no memory for ${width} × ${height} pixels`);
  context.fillRect(0, 0, width, height); // in black; not every browser knows a canvas without alpha
  context.drawImage(bitmap, -x, -y);
  return context.getImageData(0, 0, width, height).data;
}
