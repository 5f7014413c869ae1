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

/** The elements of a weight, in the array of its own dtype. */
export type WeightElements = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

/**
 * Puts the numbers that a weight's stored bytes stand for into `elements`, and returns them: a new array, or one that
 * has a place for each, in the memory where they are to be.
 */
export function dequantize<E extends WeightElements = WeightElements>(
  stored: Uint8Array,
  quantization: Quantization,
  shape: readonly number[],
  elements: E = newElements(quantization, elementCount(shape)) as E, // the default of E
): E {
  if (quantization.dtype === "float16") putHalves(stored, elements);
  else if (quantization.dtype === "int8") putChannels(stored, quantization, shape, elements);
  else putAffine(stored, quantization, elements);
  return elements;
}

function newElements({ original_dtype }: Quantization, count: number): WeightElements {
  return original_dtype === "int32" ? new Int32Array(count) : new Float32Array(count);
}

/** float16 is sign, 5 bits of exponent with a bias of 15, 10 of fraction; float32 is 1, 8 with 127, and 23. */
function putHalves(stored: Uint8Array, elements: WeightElements): void {
  const bits = new Uint32Array(elements.buffer, elements.byteOffset, elements.length);
  for (let index = 0; index < elements.length; index++) {
    const half = uint16At(stored, 2 * index);
    const [sign, exponent, fraction] = [(half & 0x8000) << 16, (half >> 10) & 31, half & 1023];
    if (exponent === 0) elements[index] = (sign < 0 ? -fraction : fraction) * 2 ** -24;
    else bits[index] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
  }
}

function putAffine(stored: Uint8Array, { dtype, min, scale }: AffineQuantization, elements: WeightElements): void {
  const isInteger = elements instanceof Int32Array;
  for (let index = 0; index < elements.length; index++) {
    const code = dtype === "uint8" ? (stored[index] as number) : uint16At(stored, 2 * index); // within
    const number = code * scale + min;
    elements[index] = isInteger ? Math.round(number) : number;
  }
}

function putChannels(
  stored: Uint8Array,
  { axes }: ChannelQuantization,
  shape: readonly number[],
  elements: WeightElements,
): void {
  const { count, stride } = weightChannels(shape, axes);
  const scales = new Float32Array(count);
  const bits = new Uint32Array(scales.buffer);
  for (let channel = 0; channel < count; channel++) {
    bits[channel] = uint16At(stored, elements.length + scaleBytes * channel) << 16;
  }
  const codes = new Int8Array(stored.buffer, stored.byteOffset, elements.length);
  for (let index = 0; index < elements.length; index++) {
    const scale = scales[Math.floor(index / stride) % count] as number; // within count
    elements[index] = (codes[index] as number) * scale; // within
  }
}

/** Little-endian, at any place. */
function uint16At(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8); // within
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
