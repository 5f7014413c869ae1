import type { ImageInput } from "@nearside/core";
import { expect, test } from "vitest";
import { ImageShader } from "./image-shader.ts";

const shader = new ImageShader({ limits: { maxTextureDimension2D: 8192 } } as GPUDevice); // all that is looked at

function picture(width: number, height: number, size: number): ImageInput {
  const shape = [1, size, size, 3];
  const channels = { layout: "nhwc", channels: "rgb", scale: 1, mean: [0, 0, 0], std: [1, 1, 1] } as const;
  return { dtype: "float32", shape, pixels: { width, height, close: () => {} }, fit: "cover", ...channels };
}

test.each([
  ["a photo for a classifier", picture(8000, 6000, 224), true],
  ["a photo for a model of digits", picture(8000, 6000, 28), true],
  ["an image that no texture can hold", picture(8193, 1, 224), false],
  ["an image of which each element takes millions of pixels", picture(8000, 6000, 1), false],
] as const)("an image shader tells whether it takes %s", (_what, image, takes) => {
  expect(shader.takes(image)).toBe(takes);
});
