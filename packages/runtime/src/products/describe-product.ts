import { backend_util, broadcast_util, type NamedTensorInfoMap, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { isActivation } from "./product-shader.ts";
import type { Product } from "./run-product.ts";

/** What a kernel of TensorFlow.js is called with. */
export interface KernelCall {
  readonly inputs: NamedTensorInfoMap;
  /** As each kernel has them. */
  readonly attrs: object;
}

/**
 * The products that kernels compute, by their names. Undefined for what a {@link Product} can't be: other dtypes,
 * channels first, an inner dimension of 0, batches of which neither operand has all, a bias or an activation of another
 * kind.
 */
export const describeProduct = {
  BatchMatMul: describeMatrices,
  _FusedMatMul: describeMatrices,
  Conv2D: describeConvolution,
  FusedConv2D: describeConvolution,
} as const satisfies Readonly<Record<string, (call: KernelCall) => Product | undefined>>;

function describeMatrices({ inputs, attrs }: KernelCall): Product | undefined {
  const [a, b] = [inputs.a as TensorInfo, inputs.b as TensorInfo]; // both kernels have them
  const { transposeA, transposeB } = attrs as { readonly transposeA: boolean; readonly transposeB: boolean };
  const [rows, inner] = sides(a, transposeA);
  const [, columns] = sides(b, transposeB);
  const [outerA, outerB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const outer = broadcast_util.assertAndGetBroadcastShape(outerA, outerB);
  const batches = util.sizeFromShape(outer);
  const [batchesA, batchesB] = [util.sizeFromShape(outerA), util.sizeFromShape(outerB)];
  if ([batchesA, batchesB].some((count) => count !== 1 && count !== batches)) return undefined;
  return withEpilogue({ inputs, attrs }, [a, b], {
    rows,
    columns,
    inner,
    batches,
    layout: {
      kind: "matrix",
      batchStrides: [batchesA === 1 ? 0 : rows * inner, batchesB === 1 ? 0 : inner * columns],
      strides: [...alongSides(transposeA, rows, inner), ...alongSides(transposeB, inner, columns)],
    },
    shape: [...outer, rows, columns],
  });
}

/** The last two dimensions, as they are multiplied. */
function sides({ shape }: TensorInfo, isTransposed: boolean): readonly [number, number] {
  const [last, first] = [shape.at(-1) ?? 1, shape.at(-2) ?? 1];
  return isTransposed ? [last, first] : [first, last];
}

/** How far apart elements are along the sides of a matrix. */
function alongSides(isTransposed: boolean, height: number, width: number): readonly [number, number] {
  return isTransposed ? [1, height] : [width, 1];
}

interface ConvolutionAttrs {
  readonly strides: number | [number, number];
  readonly dilations?: number | [number, number];
  readonly pad: Parameters<typeof backend_util.computeConv2DInfo>[4];
  readonly dataFormat?: "NHWC" | "NCHW";
  readonly dimRoundingMode?: "floor" | "round" | "ceil";
}

function describeConvolution({ inputs, attrs }: KernelCall): Product | undefined {
  const [x, filter] = [inputs.x as TensorInfo, inputs.filter as TensorInfo]; // both kernels have them
  const { strides, dilations = 1, pad, dataFormat = "NHWC", dimRoundingMode } = attrs as ConvolutionAttrs;
  if (dataFormat !== "NHWC") return undefined;
  const info = backend_util.computeConv2DInfo(
    x.shape as Four,
    filter.shape as Four,
    strides,
    dilations,
    pad,
    dimRoundingMode,
  );
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, filterHeight, filterWidth } =
    info;
  const size = {
    rows: batchSize * outHeight * outWidth,
    columns: outChannels,
    inner: filterHeight * filterWidth * inChannels,
    batches: 1,
    shape: info.outShape,
  };
  const { top, left, bottom, right } = info.padInfo;
  const isPointwise = [filterHeight, filterWidth, info.strideHeight, info.strideWidth].every((side) => side === 1);
  if (isPointwise && top + left + bottom + right === 0) {
    const layout = { kind: "matrix", batchStrides: [0, 0], strides: [inChannels, 1, outChannels, 1] } as const;
    return withEpilogue({ inputs, attrs }, [x, filter], { ...size, layout });
  }
  return withEpilogue({ inputs, attrs }, [x, filter], {
    ...size,
    layout: {
      kind: "convolution",
      image: [inHeight, inWidth],
      channels: inChannels,
      outImage: [outHeight, outWidth],
      window: [filterHeight, filterWidth],
      steps: [info.strideHeight, info.strideWidth],
      pads: [top, left],
      dilations: [info.dilationHeight, info.dilationWidth],
    },
  });
}

type Four = [number, number, number, number];

interface FusedAttrs {
  readonly activation?: string;
  readonly leakyreluAlpha?: number;
}

/** Adds the operands, and what fused kernels do with the sums. */
function withEpilogue(
  { inputs, attrs }: KernelCall,
  [a, b]: readonly [TensorInfo, TensorInfo],
  product: Omit<Product, "a" | "b" | "activation">,
): Product | undefined {
  const { activation = "linear", leakyreluAlpha } = attrs as FusedAttrs;
  const bias = inputs.bias ?? undefined; // null means none, too
  const alpha = inputs.preluActivationWeights ?? undefined;
  const isPerColumn = (tensor?: TensorInfo) =>
    tensor === undefined || util.sizeFromShape(tensor.shape) === product.columns;
  if (![a, b, bias, alpha].every((tensor) => tensor === undefined || tensor.dtype === "float32")) return undefined;
  if (product.inner === 0) return undefined; // no memory of a device is empty
  if (!isActivation(activation) || !isPerColumn(bias) || !isPerColumn(alpha)) return undefined;
  return { ...product, a, b, bias, alpha, activation, slope: leakyreluAlpha };
}
