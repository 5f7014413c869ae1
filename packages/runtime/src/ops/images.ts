import { image, type Tensor1D, type Tensor2D, type Tensor4D, type TensorInfo } from "@tensorflow/tfjs-core";
import type { Values } from "../kernels/kernel.ts";
import type { KernelAttrs } from "../kernels/kernel-attrs.ts";
import type { DirectOp, Ops } from "../plan/op.ts";
import { inputAt, kernelOp, valuesAt } from "./direct.ts";

/** Resizing, cropping and warping of images [b, h, w, c], and the choice among boxes. */
export const imageOps: Ops = {
  ResizeBilinear: resizeOp("ResizeBilinear"),
  ResizeNearestNeighbor: resizeOp("ResizeNearestNeighbor"),
  CropAndResize: {
    reads: [3],
    compose([images, boxes, boxInd], attrs, { 3: [height = 1, width = 1] = [] }) {
      const method = attrs.text("method", "bilinear") as "bilinear";
      const outside = attrs.float("extrapolation_value", 0);
      const size: [number, number] = [height, width];
      return image.cropAndResize(images as Tensor4D, boxes as Tensor2D, boxInd as Tensor1D, size, method, outside);
    },
  },
  ImageProjectiveTransformV3: {
    reads: [2, 3],
    compose([images, transforms], attrs, { 2: [height = 1, width = 1] = [], 3: [fill = 0] = [] }) {
      const method = attrs.text("interpolation", "NEAREST").toLowerCase() as "nearest";
      const mode = attrs.text("fill_mode", "CONSTANT").toLowerCase() as "constant";
      return image.transform(images as Tensor4D, transforms as Tensor2D, method, mode, fill, [height, width]);
    },
  },
  NonMaxSuppressionV2: suppressOp(),
  NonMaxSuppressionV3: suppressOp(),
  NonMaxSuppressionV4: {
    reads: [2, 3, 4],
    async await([boxes, scores], attrs, values) {
      const { size, overlap, least } = limits(values);
      const isPadded = attrs.bool("pad_to_max_output_size", false);
      const [b, s] = [boxes as Tensor2D, scores as Tensor1D];
      const result = await image.nonMaxSuppressionPaddedAsync(b, s, size, overlap, least, isPadded);
      return [result.selectedIndices, result.validOutputs].filter((tensor) => tensor !== undefined);
    },
  },
  NonMaxSuppressionV5: {
    reads: [2, 3, 4, 5],
    async await([boxes, scores], _: KernelAttrs, values) {
      const { size, overlap, least } = limits(values);
      const [sigma = 0] = valuesAt(values, 5);
      const [b, s] = [boxes as Tensor2D, scores as Tensor1D];
      const result = await image.nonMaxSuppressionWithScoreAsync(b, s, size, overlap, least, sigma);
      return [result.selectedIndices, result.selectedScores].filter((tensor) => tensor !== undefined);
    },
  },
};

function resizeOp(kernel: string): DirectOp {
  return kernelOp(
    kernel,
    (run, attrs) => {
      const alignCorners = attrs.bool("align_corners", false);
      const halfPixelCenters = attrs.bool("half_pixel_centers", false);
      return (inputs: readonly TensorInfo[], values) => {
        const size = [...valuesAt(values, 1)];
        return run({ images: inputAt(inputs, 0) }, { alignCorners, halfPixelCenters, size });
      };
    },
    [1],
  );
}

function suppressOp() {
  return {
    reads: [2, 3, 4],
    await: async ([boxes, scores]: readonly unknown[], _: KernelAttrs, values: Values) => {
      const { size, overlap, least } = limits(values);
      return [await image.nonMaxSuppressionAsync(boxes as Tensor2D, scores as Tensor1D, size, overlap, least)];
    },
  };
}

/** How many boxes at most, how much of them may overlap, and the least score. */
function limits(values: Values) {
  const [size = 0] = valuesAt(values, 2);
  const [overlap = 0.5] = valuesAt(values, 3);
  const [least = Number.NEGATIVE_INFINITY] = valuesAt(values, 4);
  return { size, overlap, least };
}
