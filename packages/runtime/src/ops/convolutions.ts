import { InferenceError } from "@nearside/core";
import {
  avgPool3d,
  conv2d,
  conv3d,
  depthwiseConv2d,
  dilation2d,
  maxPoolWithArgmax,
  type Tensor3D,
  type Tensor4D,
  type Tensor5D,
  type TensorInfo,
  type Tensor as TfjsTensor,
} from "@tensorflow/tfjs-core";
import type { KernelAttrs } from "../kernels/kernel-attrs.ts";
import { compose } from "../plan/composed.ts";
import type { BoundKernel } from "../plan/device.ts";
import type { DirectOp, Ops } from "../plan/op.ts";
import { inputAt, kernelOp, valuesAt } from "./direct.ts";

/** Convolutions and pooling over images [b, h, w, c], sequences of them, and volumes. */
export const convolutionOps: Ops = {
  Conv2D: convolutionOp("Conv2D", conv2d as ComposedConvolution),
  DepthwiseConv2d: convolutionOp("DepthwiseConv2dNative", depthwiseConv2d as ComposedConvolution),
  DepthwiseConv2dNative: convolutionOp("DepthwiseConv2dNative", depthwiseConv2d as ComposedConvolution),
  _FusedConv2D: fusedOp("FusedConv2D"),
  FusedDepthwiseConv2dNative: fusedOp("FusedDepthwiseConv2D"),
  Conv2DBackpropInput: transposedOp(),
  Conv2dTranspose: transposedOp(),
  AvgPool: poolOp("AvgPool"),
  MaxPool: poolOp("MaxPool"),
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

type Pair = [number, number];
type Padding = "same" | "valid";
type ExplicitPadding = [Pair, Pair, Pair, Pair];
type ComposedConvolution = (
  x: TfjsTensor,
  filter: TfjsTensor,
  strides: Pair,
  pad: Padding | ExplicitPadding,
  format: string,
  dilations: Pair,
) => TfjsTensor;

/** What all convolutions over images are told. */
function convolutionAttrs(attrs: KernelAttrs) {
  const dataFormat = attrs.text("data_format", "NHWC");
  const isLast = dataFormat === "NHWC";
  const pair = (name: string): Pair => {
    const [, second = 1, third = 1, fourth = 1] = attrs.numbers(name);
    return isLast ? [second, third] : [third, fourth];
  };
  return { strides: pair("strides"), dilations: pair("dilations"), pad: paddingOf(attrs), dataFormat };
}

function paddingOf(attrs: KernelAttrs): Padding | ExplicitPadding {
  const padding = attrs.text("padding", "VALID").toLowerCase();
  if (padding !== "explicit") return padding as Padding; // TensorFlow knows these three
  const pads = attrs.numbers("explicit_paddings");
  return [0, 2, 4, 6].map((axis) => [pads[axis] ?? 0, pads[axis + 1] ?? 0]) as ExplicitPadding;
}

function convolutionOp(kernel: string, composed: ComposedConvolution): DirectOp {
  return kernelOp(kernel, (run, attrs, device) => {
    const { strides, dilations, pad, dataFormat } = convolutionAttrs(attrs);
    const kernelAttrs = { strides, pad, dataFormat, dilations };
    if (dataFormat !== "NHWC") {
      return (inputs) =>
        compose(device, inputs, ([x, filter]) =>
          composed(x as TfjsTensor, filter as TfjsTensor, strides, pad, dataFormat, dilations),
        );
    }
    return (inputs) => {
      const [x, filter] = checkDepth(kernel, inputs);
      return run({ x, filter }, kernelAttrs);
    };
  });
}

/** A convolution with a bias, an activation, or both; `fused_ops` names them, NoOp for no bias. */
function fusedOp(kernel: string): DirectOp {
  return kernelOp(kernel, (run, attrs) => {
    const fused = attrs.texts("fused_ops").map((name) => name.toLowerCase());
    const hasBias = fused[0] === "biasadd";
    const activation = fused[1] ?? "linear";
    if (fused.includes("fusedbatchnorm")) {
      throw new InferenceError("unsupported", "a batch norm within a convolution; convert the model again");
    }
    const kernelAttrs = {
      ...convolutionAttrs(attrs),
      activation,
      leakyreluAlpha: attrs.float("leakyrelu_alpha", 0.2),
    };
    return (inputs) => {
      const [x, filter] = checkDepth(kernel, inputs);
      const [bias, preluActivationWeights] = hasBias ? [inputs[2], inputs[3]] : [undefined, inputs[2]];
      return run({ x, filter, bias, preluActivationWeights } as Parameters<BoundKernel>[0], kernelAttrs);
    };
  });
}

/** A shape that doesn't fit would be read beyond its end. */
function checkDepth(kernel: string, inputs: readonly TensorInfo[]): [TensorInfo, TensorInfo] {
  const [x, filter] = [inputAt(inputs, 0), inputAt(inputs, 1)];
  if (x.shape.length === 4 && filter.shape.length === 4 && x.shape[3] === filter.shape[2]) return [x, filter];
  const got = `[${x.shape.join(",")}] and [${filter.shape.join(",")}]`;
  throw new InferenceError("invalid-argument", `${kernel}: expected [b,h,w,c] and a filter [h,w,c,n], got ${got}`);
}

/** TensorFlow's order is: the output's shape, the filter, what is to be transposed. */
function transposedOp(): DirectOp {
  return kernelOp(
    "Conv2DBackpropInput",
    (run, attrs) => {
      const { strides, pad, dataFormat } = convolutionAttrs(attrs);
      return (inputs, values) => {
        const [filter, dy] = [inputAt(inputs, 1), inputAt(inputs, 2)];
        return run({ dy, filter }, { strides, pad, dataFormat, inputShape: [...valuesAt(values, 0)] });
      };
    },
    [0],
  );
}

function window2d(attrs: KernelAttrs): { size: Pair; strides: Pair; pad: Padding } {
  const [, height = 1, width = 1] = attrs.numbers("ksize");
  const [, down = 1, across = 1] = attrs.numbers("strides");
  return {
    size: [height, width],
    strides: [down, across],
    pad: attrs.text("padding", "VALID").toLowerCase() as Padding,
  };
}

function poolOp(kernel: string): DirectOp {
  return kernelOp(kernel, (run, attrs) => {
    const { size, strides } = window2d(attrs);
    const kernelAttrs = { filterSize: size, strides, pad: paddingOf(attrs) };
    return (inputs) => run({ x: inputAt(inputs, 0) }, kernelAttrs);
  });
}

function window3d(attrs: KernelAttrs) {
  type Triple = [number, number, number];
  const triple = (name: string) => [1, 2, 3].map((axis) => attrs.numbers(name)[axis] ?? 1) as Triple;
  return {
    size: triple("ksize"),
    strides: triple("strides"),
    pad: attrs.text("padding", "VALID").toLowerCase() as Padding,
  };
}
