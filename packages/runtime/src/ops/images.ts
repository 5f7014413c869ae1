import type { TensorInfo } from "@tensorflow/tfjs-core";
import { valuesAt } from "../kernels/kernel-attrs.ts";
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
        const size = [...valuesAt(values, 1)];
        return run({ images: inputAt(inputs, 0) }, { alignCorners, halfPixelCenters, size });
      };
    },
    [1],
  );
}
