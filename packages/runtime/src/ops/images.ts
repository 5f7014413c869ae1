import type { TensorInfo } from "@tensorflow/tfjs-core";
import { valuesAt } from "../kernels/kernel-attrs.ts";
import { invalid } from "../kernels/plain-tensors.ts";
import type { DirectOp, Ops } from "../plan/op.ts";
import { inputAt, kernelOp } from "./direct.ts";

/** Resizing of images [b, h, w, c]. */
export const imageOps: Ops = {
  ResizeBilinear: resizeOp("ResizeBilinear"),
  ResizeNearestNeighbor: resizeOp("ResizeNearestNeighbor"),
};

function resizeOp(kernel: string): DirectOp {
  return kernelOp(
    kernel,
    (run, attrs) => {
      const alignCorners = attrs.bool("align_corners", false);
      const halfPixelCenters = attrs.bool("half_pixel_centers", false);
      return (inputs: readonly TensorInfo[], values) => {
        const images = inputAt(inputs, 0);
        const size = [...valuesAt(values, 1)];
        checkResize(kernel, images.shape, size);
        return run({ images }, { alignCorners, halfPixelCenters, size });
      };
    },
    [1],
  );
}

/** Of no pixels there are none to take, and a negative size would be written before the output's begin. */
function checkResize(op: string, shape: readonly number[], size: readonly number[]): void {
  const [, height = 0, width = 0] = shape;
  const isImage = shape.length === 4 && height > 0 && width > 0;
  if (isImage && size.length === 2 && size.every((length) => length > 0)) return;
  throw invalid(op, `expected images [b,h,w,c] with pixels, and a positive size [h,w], got [${shape}] and [${size}]`);
}
