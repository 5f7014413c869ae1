import {
  cast,
  concat,
  image,
  slice,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  type Tensor as TfjsTensor,
  tensor,
} from "@tensorflow/tfjs-core";
import type { Kernels } from "./kernel.ts";
import { invalid } from "./plain-tensors.ts";

/** Cropping and warping of images [b, h, w, c]. */
export const imageKernels: Kernels = {
  CropAndResize: {
    reads: [3],
    compose([images, boxes, boxInd], attrs, { 3: [height = 1, width = 1] = [] }) {
      const method = attrs.text("method", "bilinear") as "bilinear";
      const outside = attrs.float("extrapolation_value", 0);
      const size: [number, number] = [height, width];
      return image.cropAndResize(images as Tensor4D, boxes as Tensor2D, boxInd as Tensor1D, size, method, outside);
    },
  },
  /** One image after the other: of several, TensorFlow.js on cpu warps the first. */
  ImageProjectiveTransformV3: {
    reads: [2, 3],
    compose([images, transforms], attrs, { 2: [height = 1, width = 1] = [], 3: [fill = 0] = [] }) {
      const [all, matrices] = [images as Tensor4D, transforms as Tensor2D]; // it has four inputs
      const method = attrs.text("interpolation", "NEAREST").toLowerCase() as "nearest";
      const mode = attrs.text("fill_mode", "CONSTANT").toLowerCase() as "constant";
      const [batch, , , channels] = all.shape;
      const count = matrices.shape[0] ?? 0;
      if ((count !== 1 && count !== batch) || height < 1 || width < 1) {
        const got = `[${matrices.shape}] and ${height} × ${width} for [${all.shape}]`;
        throw invalid("ImageProjectiveTransformV3", `expected a transform, or one per image, and a size, got ${got}`);
      }
      if (batch === 0) return tensor([], [0, height, width, channels], all.dtype);
      const warped = Array.from({ length: batch }, (_, at): TfjsTensor => {
        const one = cast(slice(all, at, 1), "float32");
        const matrix = matrices.shape[0] === 1 ? matrices : slice(matrices, at, 1);
        return image.transform(one, matrix, method, mode, fill, [height, width]);
      });
      return cast(concat(warped), all.dtype);
    },
  },
};
