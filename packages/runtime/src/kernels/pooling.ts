import {
  avgPool3d,
  conv3d,
  dilation2d,
  maxPoolWithArgmax,
  type Tensor3D,
  type Tensor4D,
  type Tensor5D,
  type Tensor as TfjsTensor,
} from "@tensorflow/tfjs-core";
import type { Kernels } from "./kernel.ts";
import { window2d, window3d } from "./windows.ts";

/** Convolutions and pooling over volumes, and the rarer ones over images. */
export const poolingKernels: Kernels = {
  MaxPoolWithArgmax: {
    compose([x], attrs) {
      const { size, strides, pad } = window2d(attrs);
      const isCounted = attrs.bool("include_batch_in_index", false);
      const pooled = maxPoolWithArgmax(x as Tensor4D, size, strides, pad, isCounted);
      return [pooled.result, pooled.indexes] as TfjsTensor[]; // the two that it has
    },
  },
  Conv3D: {
    compose([x, filter], attrs) {
      const { strides, pad } = window3d(attrs);
      const [, depth = 1, height = 1, width = 1] = attrs.numbers("dilations");
      return conv3d(x as Tensor5D, filter as Tensor5D, strides, pad, "NDHWC", [depth, height, width]);
    },
  },
  AvgPool3D: {
    compose([x], attrs) {
      const { size, strides, pad } = window3d(attrs);
      return avgPool3d(x as Tensor5D, size, strides, pad);
    },
  },
  Dilation2D: {
    compose([x, filter], attrs) {
      const { strides, pad } = window2d(attrs);
      const [, height = 1, width = 1] = attrs.numbers("rates");
      return dilation2d(x as Tensor4D, filter as Tensor3D, strides, pad, [height, width], "NHWC");
    },
  },
};
