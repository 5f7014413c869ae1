import { backend_util, type KernelFunc, type TensorInfo } from "@tensorflow/tfjs-core";
import { addressOf, type WasmBackend } from "../backends/wasm-memory.ts";
import type { Axis } from "./filter-taps.ts";
import { biasAddress, type Clamp, clampOf } from "./products.ts";
import type { Simd } from "./simd.ts";

/** A convolution over images [batch, height, width, channels] that our kernels can do: addresses and sizes. */
export interface Convolution {
  readonly simd: Simd;
  readonly backend: WasmBackend;
  readonly x: number;
  readonly filter: TensorInfo;
  /** 0 for none. */
  readonly bias: number;
  readonly clamp: Clamp;
  readonly outShape: readonly number[];
  readonly batch: number;
  readonly down: Axis;
  readonly across: Axis;
  readonly inChannels: number;
  readonly outChannels: number;
}

/**
 * What a convolution's kernel is given. Undefined for what our kernels don't do: fewer than 4
 * channels to compute, or none to compute them from, an activation that is no clamp, several filters per channel.
 */
export function readConvolution(
  args: Arguments,
  { isDepthwise }: { readonly isDepthwise: boolean },
): Convolution | undefined {
  const { inputs, attrs } = args;
  const backend = args.backend as WasmBackend;
  const { simd } = backend;
  const { x, filter, bias: biasTensor, preluActivationWeights } = inputs as Readonly<Record<string, TensorInfo>>;
  const convolutionAttrs = attrs as unknown as ConvolutionAttrs; // a convolution's
  const { strides, dilations = 1, pad, dimRoundingMode, dataFormat = "NHWC" } = convolutionAttrs;
  const clamp = clampOf(convolutionAttrs);
  if (!simd || !clamp || !x || !filter || preluActivationWeights || dataFormat !== "NHWC") return undefined;
  if (x.dtype !== "float32" || filter.dtype !== "float32" || (isDepthwise && filter.shape[3] !== 1)) return undefined;
  const info = backend_util.computeConv2DInfo(
    x.shape as Rank4,
    filter.shape as Rank4,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    isDepthwise,
  );
  const bias = biasAddress(backend, biasTensor, info.outChannels);
  if (info.outChannels < 4 || info.inChannels < 1 || bias === undefined) return undefined;
  if (info.outHeight < 1 || info.outWidth < 1) return undefined; // the filter is larger than what it is to lie over
  return {
    simd,
    backend,
    x: addressOf(backend, x),
    filter,
    bias,
    clamp,
    outShape: info.outShape,
    batch: info.batchSize,
    ...axesOf(info),
    inChannels: info.inChannels,
    outChannels: info.outChannels,
  };
}

/** How the filter lies over the images, down and across. */
export function axesOf(info: backend_util.Conv2DInfo): { readonly down: Axis; readonly across: Axis } {
  const down = {
    inSize: info.inHeight,
    outSize: info.outHeight,
    filterSize: info.filterHeight,
    stride: info.strideHeight,
    dilation: info.dilationHeight,
    padding: info.padInfo.top,
  };
  const across = {
    inSize: info.inWidth,
    outSize: info.outWidth,
    filterSize: info.filterWidth,
    stride: info.strideWidth,
    dilation: info.dilationWidth,
    padding: info.padInfo.left,
  };
  return { down, across };
}

type Arguments = Parameters<KernelFunc>[0];

interface ConvolutionAttrs {
  readonly strides: number | [number, number];
  readonly dilations?: number | [number, number];
  readonly pad: Parameters<typeof backend_util.computeConv2DInfo>[4];
  readonly dimRoundingMode?: "floor" | "round" | "ceil";
  readonly dataFormat?: string;
  readonly activation?: string;
}

type Rank4 = [number, number, number, number];
