import { InferenceError } from "@nearside/core";
import {
  backend_util,
  conv2d,
  depthwiseConv2d,
  type TensorInfo,
  type Tensor as TfjsTensor,
} from "@tensorflow/tfjs-core";
import { type KernelAttrs, valuesAt } from "../kernels/kernel-attrs.ts";
import { invalid } from "../kernels/plain-tensors.ts";
import { checkChannelsLast, window2d } from "../kernels/windows.ts";
import { compose } from "../plan/composed.ts";
import { type BoundKernel, type Device, makeTensor } from "../plan/device.ts";
import type { DirectOp, Ops } from "../plan/op.ts";
import { checkVector, inputAt, kernelOp, sameShape } from "./direct.ts";

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
type Rank4 = [number, number, number, number];
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
      return emptyConvolution([x, filter], kernelAttrs, kernel, device) ?? run({ x, filter }, kernelAttrs);
    };
  });
}

/** A convolution with a bias, an activation, or both; `fused_ops` names them, NoOp for no bias. */
function fusedOp(kernel: string): DirectOp {
  return kernelOp(kernel, (run, attrs, device) => {
    checkChannelsLast(attrs);
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
      const [, , depth = 0, count = 0] = filter.shape;
      const channels = kernel === "FusedDepthwiseConv2D" ? depth * count : count;
      checkVector(kernel, bias, channels);
      if (preluActivationWeights?.shape[0] !== 1) checkVector(kernel, preluActivationWeights, channels);
      const operands = { x, filter, bias, preluActivationWeights } as Parameters<BoundKernel>[0];
      return emptyConvolution([x, filter], kernelAttrs, kernel, device) ?? run(operands, kernelAttrs);
    };
  });
}

/** A shape that doesn't fit would be read beyond its end. */
function checkDepth(kernel: string, inputs: readonly TensorInfo[]): [TensorInfo, TensorInfo] {
  const [x, filter] = [inputAt(inputs, 0), inputAt(inputs, 1)];
  if (x.shape.length === 4 && filter.shape.length === 4 && x.shape[3] !== 0 && x.shape[3] === filter.shape[2])
    return [x, filter];
  const got = `[${x.shape.join(",")}] and [${filter.shape.join(",")}]`;
  throw new InferenceError("invalid-argument", `${kernel}: expected [b,h,w,c] and a filter [h,w,c,n], got ${got}`);
}

interface Window {
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly pad: Padding | ExplicitPadding;
}

/** Whether a window lies anywhere within the images. Throws `invalid-argument` for what is no window, or no images. */
function fits(kernel: string, x: TensorInfo, size: readonly number[], { strides, dilations, pad }: Window): boolean {
  let isFitting = true;
  for (let axis = 0; axis < 2; axis++) {
    const [window = 0, stride = 1, dilation = 1, length = 0] = [
      size[axis],
      strides[axis],
      dilations[axis],
      x.shape[axis + 1],
    ];
    const [before, after] = typeof pad === "string" ? [0, 0] : (pad[axis + 1] as Pair); // one for each axis
    if (x.shape.length !== 4 || Math.min(window, stride, dilation) < 1 || Math.min(before, after) < 0) {
      const got = [`${size[0]} × ${size[1]}`, `strides ${strides.join(" × ")}`, `dilations ${dilations.join(" × ")}`];
      throw invalid(kernel, `expected a window and images [b,h,w,c], got ${got.join(", ")} and [${x.shape}]`);
    }
    const reach = pad === "same" ? 1 : (window - 1) * dilation + 1;
    if (length + before + after < reach) isFitting = false;
  }
  return isFitting;
}

/** What comes of a filter that fits nowhere, on which kernels trap; undefined where it fits. */
function emptyConvolution(
  [x, filter]: readonly [TensorInfo, TensorInfo],
  window: Window,
  kernel: string,
  device: Device,
) {
  if (fits(kernel, x, filter.shape, window)) return undefined;
  const [images, sizes] = [x.shape as Rank4, filter.shape as Rank4]; // as was checked
  const { strides, dilations, pad } = window;
  const isDepthwise = kernel.includes("Depthwise");
  const info = backend_util.computeConv2DInfo(images, sizes, strides, dilations, pad, undefined, isDepthwise);
  return withoutPixels(info.outShape, kernel, device);
}

/** An output of no pixels, as TensorFlow has it. A window that is larger by a stride or more makes it less than that. */
function withoutPixels(shape: readonly number[], kernel: string, device: Device): TensorInfo {
  if (shape.every((size) => size >= 0)) return makeTensor(device, new Float32Array(), shape, "float32");
  throw invalid(kernel, `expected a window within the images, got one of which [${shape}] comes`);
}

/** The output's shape must be one of which `filter` makes the shape of `dy`. */
function checkTransposed(
  shape: readonly number[],
  filter: TensorInfo,
  dy: TensorInfo,
  { strides, pad }: Pick<Window, "strides" | "pad">,
): void {
  const isOfRank4 = [shape, filter.shape, dy.shape].every(({ length }) => length === 4);
  if (isOfRank4 && shape[3] === filter.shape[2] && shape.every((size) => size >= 0)) {
    const { outShape } = backend_util.computeConv2DInfo(shape as Rank4, filter.shape as Rank4, strides, 1, pad);
    if (sameShape(outShape, dy.shape)) return;
  }
  const message = `expected a shape and a filter of which [${dy.shape}] comes, got [${shape}] and [${filter.shape}]`;
  throw invalid("Conv2DBackpropInput", message);
}

/** TensorFlow's order is: the output's shape, the filter, what is to be transposed. */
function transposedOp(): DirectOp {
  return kernelOp(
    "Conv2DBackpropInput",
    (run, attrs) => {
      const { strides, pad, dataFormat } = convolutionAttrs(attrs);
      return (inputs, values) => {
        const [filter, dy] = [inputAt(inputs, 1), inputAt(inputs, 2)];
        const inputShape = [...valuesAt(values, 0)];
        if (dataFormat === "NHWC") checkTransposed(inputShape, filter, dy, { strides, pad });
        return run({ dy, filter }, { strides, pad, dataFormat, inputShape });
      };
    },
    [0],
  );
}

function poolOp(kernel: string): DirectOp {
  return kernelOp(kernel, (run, attrs, device) => {
    const { size, strides } = window2d(attrs);
    const pad = paddingOf(attrs);
    const kernelAttrs = { filterSize: size, strides, pad };
    const window: Window = { strides, dilations: [1, 1], pad };
    return (inputs) => {
      const x = inputAt(inputs, 0);
      if (fits(kernel, x, size, window)) return run({ x }, kernelAttrs);
      const info = backend_util.computePool2DInfo(x.shape as Rank4, size, strides, 1, pad);
      return withoutPixels(info.outShape, kernel, device);
    };
  });
}
