import { InferenceError } from "./errors.ts";
import { elementCount } from "./tensor.ts";

/**
 * The smaller types that weights can be stored in, and their bytes per element. TensorFlow.js reads the first three;
 * int8, which has a scale per channel, is ours, and it refuses a model that has such weights.
 */
export const quantizedDTypes = {
  float16: { bytes: 2 },
  uint8: { bytes: 1 },
  uint16: { bytes: 2 },
  int8: { bytes: 1 },
} as const;

/** The name of a type that weights can be stored in. */
export type QuantizedDType = keyof typeof quantizedDTypes;

/** Widened, for weights of float32. */
export interface HalfQuantization {
  readonly dtype: "float16";
  readonly original_dtype: "float32";
}

/** `stored * scale + min`; rounded where the weight is of int32. */
export interface AffineQuantization {
  readonly dtype: "uint8" | "uint16";
  readonly min: number;
  readonly scale: number;
  readonly original_dtype: "float32" | "int32";
}

/**
 * `stored * scale`, with a scale for each channel of a float32 weight: each combination of positions on `axes`, which
 * follow one another; one channel where there are none. After the elements lie the scales, as bfloat16 (the upper half
 * of a float32, little-endian).
 */
export interface ChannelQuantization {
  readonly dtype: "int8";
  readonly axes: readonly number[];
  readonly original_dtype: "float32";
}

/** How a weight's stored elements become numbers, in the manifest's words. */
export type Quantization = HalfQuantization | AffineQuantization | ChannelQuantization;

/** The channels of a weight: the element at place `i`, row-major, belongs to channel `⌊i / stride⌋ mod count`. */
export interface WeightChannels {
  readonly count: number;
  readonly stride: number;
}

/** How many bytes a quantised weight of this shape takes in its shard. */
export function quantizedBytes(quantization: Quantization, shape: readonly number[]): number {
  const elementBytes = quantizedDTypes[quantization.dtype].bytes * elementCount(shape);
  if (quantization.dtype !== "int8") return elementBytes;
  return elementBytes + scaleBytes * weightChannels(shape, quantization.axes).count;
}

const scaleBytes = 2;

/** The channels that a weight of this shape has on `axes`. */
export function weightChannels(shape: readonly number[], axes: readonly number[]): WeightChannels {
  const [first = 0] = axes;
  const end = first + axes.length;
  return { count: elementCount(shape.slice(first, end)), stride: elementCount(shape.slice(end)) };
}

/** The float32 elements that an int8 weight's stored bytes stand for. */
export function dequantizeChannels(
  stored: Uint8Array,
  { axes }: ChannelQuantization,
  shape: readonly number[],
): Float32Array<ArrayBuffer> {
  const elements = elementCount(shape);
  const { count, stride } = weightChannels(shape, axes);
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
  const scales = new Float32Array(count);
  const bits = new Uint32Array(scales.buffer);
  for (let channel = 0; channel < count; channel++) {
    bits[channel] = view.getUint16(elements + scaleBytes * channel, true) << 16;
  }
  const floats = new Float32Array(elements);
  for (let element = 0; element < elements; element++) {
    const scale = scales[Math.floor(element / stride) % count] as number; // within count
    floats[element] = view.getInt8(element) * scale;
  }
  return floats;
}

/**
 * A weight's `quantization` in a manifest. Throws `data-loss`, naming `where`, for one that no loader could read.
 */
export function parseQuantization(
  json: Readonly<Record<string, unknown>>,
  weight: { readonly dtype: string; readonly shape: readonly number[] },
  where: string,
): Quantization {
  const { dtype, min, scale, axes } = json;
  const { dtype: original_dtype, shape } = weight;
  if (dtype === "float16" && original_dtype === "float32") return { dtype, original_dtype };
  if (dtype === "int8" && original_dtype === "float32" && areAxes(axes, shape.length)) {
    return { dtype, axes, original_dtype };
  }
  const isOfNumbers = original_dtype === "float32" || original_dtype === "int32";
  if ((dtype === "uint8" || dtype === "uint16") && isOfNumbers && isNumber(min) && isNumber(scale)) {
    return { dtype, min, scale, original_dtype };
  }
  const expected = "float16, or uint8 or uint16 with min and scale, or int8 with axes in a row";
  const got = `${JSON.stringify(json)} for a weight of ${original_dtype} [${shape.join(",")}]`;
  const advice = "convert or upload the model again";
  throw new InferenceError("data-loss", `${where}: expected ${expected}, got ${got}; ${advice}`);
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

/** True if these are axes of a tensor of that rank, one after another. */
function areAxes(axes: unknown, rank: number): axes is readonly number[] {
  if (!Array.isArray(axes)) return false;
  const isInRow = axes.every((axis, index) => Number.isInteger(axis) && axis === axes[0] + index);
  return isInRow && (axes.length === 0 || (axes[0] >= 0 && axes[0] + axes.length <= rank));
}
