import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import {
  type Activation,
  commonUniforms,
  type Elements,
  type ProductVariant,
  productShader,
  uniformsOf,
} from "./product-shader.ts";
import { type Tile, threadCount, tileFor, tiles } from "./tile.ts";

/** A product of matrices, or a convolution as one: what is to be computed. */
export interface Product {
  readonly a: TensorInfo;
  readonly b: TensorInfo;
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly batches: number;
  readonly layout: MatrixLayout | ConvolutionLayout;
  /** One number per column. */
  readonly bias?: TensorInfo | undefined;
  /** Added before the activation; of the result's shape. */
  readonly residual?: TensorInfo | undefined;
  readonly activation: Activation;
  /** Prelu's slopes, one per column. */
  readonly alpha?: TensorInfo | undefined;
  /** LeakyRelu's slope. */
  readonly slope?: number | undefined;
  /** The result's. */
  readonly shape: readonly number[];
}

type Pair = readonly [number, number];

/** How many elements lie between batches, and between the elements of rows and columns. */
export interface MatrixLayout {
  readonly kind: "matrix";
  /** Of both operands; 0 where one matrix is for all batches. */
  readonly batchStrides: Pair;
  /** Along the rows and the inner dimension of the first, the inner dimension and the columns of the second. */
  readonly strides: readonly [...Pair, ...Pair];
}

/** The geometry of a convolution over images [b, h, w, c] with a filter [h, w, c, n]; heights first. */
export interface ConvolutionLayout {
  readonly kind: "convolution";
  readonly image: Pair;
  readonly channels: number;
  readonly outImage: Pair;
  readonly window: Pair;
  readonly steps: Pair;
  readonly pads: Pair;
  readonly dilations: Pair;
}

export interface ProductOptions {
  readonly elements: Elements;
  /** Whether the second operand is float16 in the device's memory. */
  readonly isHalfB?: boolean;
  /** The one that fits the size by default. */
  readonly tile?: Tile;
}

/** Computes a product on a WebGPU backend, with {@link productShader}; the caller holds the result. */
export function runProduct(
  backend: WebGPUBackend,
  product: Product,
  { elements, isHalfB = false, tile = tiles[tileFor(product)] }: ProductOptions,
): TensorInfo {
  const { a, b, bias, residual, alpha, rows, columns, inner, batches, layout, activation, shape } = product;
  const size = util.sizeFromShape([...shape]);
  const isVectorResult = columns % 4 === 0;
  const variant: ProductVariant = {
    kind: layout.kind,
    elements,
    tile,
    isVectorA: isVector(layout, inner),
    isVectorB: isVectorResult && (layout.kind === "convolution" || layout.strides[3] === 1),
    isVectorResult,
    isHalfB,
    epilogue: { hasBias: bias !== undefined, hasResidual: residual !== undefined, activation },
  };
  const operands = [
    { name: "A", tensor: a, components: variant.isVectorA ? 4 : 1 },
    { name: "B", tensor: b, components: componentsOfB(variant) },
    ...Object.entries({ bias, residual, alpha }).flatMap(([name, tensor]) =>
      tensor === undefined ? [] : [{ name, tensor, components: isVectorResult ? 4 : 1 }],
    ),
  ];
  const tilesInAll =
    batches * Math.ceil(rows / (tile.rowThreads * tile.rowsPerThread)) * Math.ceil(columns / (tile.columnThreads * 4));
  const program = {
    outputShape: [size],
    // Tiles are numbered along one dimension, which TensorFlow.js spreads over three where it is too long.
    dispatchLayout: { x: [0] },
    dispatch: [tilesInAll, 1, 1] as [number, number, number],
    workgroupSize: [threadCount(tile), 1, 1] as [number, number, number],
    variableNames: operands.map(({ name }) => name),
    variableComponents: operands.map(({ components }) => components),
    outputComponent: isVectorResult ? 4 : 1,
    uniforms: commonUniforms + uniformsOf[layout.kind] + (activation === "leakyrelu" ? "slope : f32," : ""),
    shaderKey: `product_${JSON.stringify(variant)}`,
    getUserCode: () => productShader(variant),
  };
  const integers = [[rows], [columns], [inner], [batches], ...uniformsIn(layout)];
  const uniforms = integers.map((data) => ({ type: "int32", data: [...data] }));
  if (activation === "leakyrelu") uniforms.push({ type: "float32", data: [product.slope ?? 0] });
  // As lists of elements, so that one shader does for all shapes.
  const flat = operands.map(({ tensor }) => ({ ...tensor, shape: [util.sizeFromShape(tensor.shape)] }));
  const { dataId } = backend.runWebGPUProgram(program, flat, "float32", uniforms);
  return { dataId, shape: [...shape], dtype: "float32" };
}

/** Whether four elements of the first operand along the inner dimension lie together, at a multiple of four. */
function isVector(layout: Product["layout"], inner: number): boolean {
  return layout.kind === "convolution" ? layout.channels % 4 === 0 : inner % 4 === 0 && layout.strides[1] === 1;
}

function componentsOfB({ isVectorB, isHalfB }: ProductVariant): number {
  if (!isVectorB) return 1;
  return isHalfB ? 2 : 4;
}

/** In the order of {@link uniformsOf}. */
function uniformsIn(layout: Product["layout"]): readonly (readonly number[])[] {
  if (layout.kind === "matrix") return [layout.batchStrides, layout.strides];
  const { image, channels, outImage, window, steps, pads, dilations } = layout;
  return [image, [channels], outImage, window, steps, pads, dilations];
}
