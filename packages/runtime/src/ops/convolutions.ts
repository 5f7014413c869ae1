import { InferenceError } from "@nearside/core";
import { conv2d, depthwiseConv2d, type TensorInfo, type Tensor as TfjsTensor } from "@tensorflow/tfjs-core";
import { type KernelAttrs, valuesAt } from "../kernels/kernel-attrs.ts";
import { window2d } from "../kernels/windows.ts";
import { compose } from "../plan/composed.ts";
import type { BoundKernel } from "../plan/device.ts";
import type { DirectOp, Ops } from "../plan/op.ts";
import { inputAt, kernelOp } from "./direct.ts";

/** Convolutions and pooling over images [b, h, w, c]. */
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

function poolOp(kernel: string): DirectOp {
  return kernelOp(kernel, (run, attrs) => {
    const { size, strides } = window2d(attrs);
    const kernelAttrs = { filterSize: size, strides, pad: paddingOf(attrs) };
    return (inputs) => run({ x: inputAt(inputs, 0) }, kernelAttrs);
  });
}
