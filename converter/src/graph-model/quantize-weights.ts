import {
  elementCount,
  InferenceError,
  type Quantization,
  type QuantizedDType,
  quantizedBytes,
  weightChannels,
} from "@nearside/core";
import type { Checkpoint } from "../saved-model/checkpoint.ts";
import type { ChannelAxes } from "./channel-axes.ts";
import { float16Limit, quantizationOf, type ValueRange } from "./quantization.ts";
import { type QuantizeByName, quantizedDTypeFor, unusedPatterns } from "./quantize-options.ts";
import { floatsOf, readWeight, type Weight } from "./weights.ts";

/** Weights with the storage they are to have, and what a person should know of it. */
export interface QuantizedWeights {
  readonly weights: readonly Weight[];
  readonly notices: readonly string[];
}

/** What {@link quantizeWeight} needs besides the weight. */
export interface QuantizeContext {
  readonly checkpoint: Checkpoint;
  readonly channelAxes: ChannelAxes;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Decides how each float32 weight is stored: others stay as they are. Reads the weights that change, chunk by chunk,
 * for their ranges. Throws `unsupported`, naming the weight, for values that an integer can't stand for: NaN and
 * infinity.
 */
export async function quantizeWeights(
  weights: readonly Weight[],
  options: QuantizeByName,
  context: QuantizeContext,
): Promise<QuantizedWeights> {
  const floats = weights.filter(({ dtype }) => dtype === "float32").map(({ name }) => name);
  const notices = unusedPatterns(floats, options).map(
    ([dtype, pattern]) => `quantize: no float32 weight has a name like "${pattern}" (${dtype})`,
  );
  const dtypes = new Map(floats.map((name) => [name, quantizedDTypeFor(name, options)] as const));
  const small = findSmallWeights(weights.filter(({ name }) => dtypes.get(name) === "int8"));
  const quantized: Weight[] = [];
  for (const weight of weights) {
    const dtype = small.has(weight.name) ? "small" : dtypes.get(weight.name);
    if (dtype === undefined) {
      quantized.push(weight);
      continue;
    }
    const { weight: changed, notice } = await quantizeWeight(weight, dtype, context);
    quantized.push(changed);
    if (notice !== undefined) notices.push(notice);
  }
  return { weights: quantized, notices };
}

/**
 * The smallest of the weights that are to be int8, {@link smallShare} of all elements together: first layers and
 * depthwise filters, whose errors go through all layers after them, and biases. They stay more precise, which costs next
 * to nothing.
 */
export function findSmallWeights(weights: readonly Weight[]): ReadonlySet<string> {
  const sizes = weights.map(({ name, shape }) => ({ name, count: elementCount(shape) }));
  let left = smallShare * sizes.reduce((sum, { count }) => sum + count, 0);
  const small = new Set<string>();
  for (const { name, count } of sizes.sort((a, b) => a.count - b.count)) {
    left -= count;
    if (left < 0) break;
    small.add(name);
  }
  return small;
}

const smallShare = 0.015;

/**
 * The weight as it is stored as `dtype`, whatever it was stored as: for a small one, float16 where that is precise, and
 * float32 where it isn't or where there is nothing to save. Throws as {@link quantizeWeights} does.
 */
export async function quantizeWeight(
  weight: Weight,
  dtype: QuantizedDType | "small",
  { checkpoint, channelAxes, signal }: QuantizeContext,
): Promise<{ readonly weight: Weight; readonly notice?: string }> {
  const { name, shape } = weight;
  const plain = plainWeight(weight);
  const range = await rangeOf(plain, checkpoint, signal);
  const limit = Math.max(-range.least, range.greatest);
  if (!Number.isFinite(limit) && dtype !== "float16") throw notFinite(name, dtype);
  const quantization = quantizationFor(plain, dtype, channelAxes, range);
  if (quantization === undefined) return { weight: plain };
  const changed = { ...plain, quantization, sizeBytes: quantizedBytes(quantization, shape) };
  if (dtype !== "float16" || !Number.isFinite(limit) || limit <= float16Limit) return { weight: changed };
  return { weight: changed, notice: `weight "${name}": values beyond ±${float16Limit} become infinite as float16` };
}

/** The weight as float32, whatever it is stored as. */
export function plainWeight({ name, dtype, shape, value }: Weight): Weight {
  return { name, dtype, shape, value, sizeBytes: 4 * elementCount(shape) };
}

function quantizationFor(
  { name, shape }: Weight,
  dtype: QuantizedDType | "small",
  channelAxes: ChannelAxes,
  range: ValueRange,
): Quantization | undefined {
  if (dtype !== "int8" && dtype !== "small") return quantizationOf(dtype, range);
  const original_dtype = "float32";
  const axes = (channelAxes.get(name) ?? [-1]).map((axis) => axis + shape.length);
  const isMatrix = shape.length >= 2 && axes.every((axis) => axis >= 0);
  // With fewer elements, the scales take what int8 saves.
  if (dtype === "int8" && isMatrix && elementCount(shape) >= fewestElements * weightChannels(shape, axes).count) {
    return { dtype, axes, original_dtype };
  }
  const limit = Math.max(-range.least, range.greatest);
  const isHalf = limit >= leastLimit && limit <= float16Limit && elementCount(shape) >= fewestHalves;
  return isHalf ? { dtype: "float16", original_dtype } : undefined;
}

/** How many elements per channel int8 is for. */
const fewestElements = 4;

/** How many elements float16 is for: the others are scalars and such, which a model may be very sensitive to. */
const fewestHalves = 16;

/** The steps of float16 don't become smaller than 2⁻²⁴: for tensors of no greater numbers than this they are coarse. */
const leastLimit = 2 ** -10;

/** The range of a weight's elements: NaN at both ends where one is NaN, 0 for a tensor without elements. */
async function rangeOf(weight: Weight, checkpoint: Checkpoint, signal?: AbortSignal): Promise<ValueRange> {
  if (elementCount(weight.shape) === 0) return { least: 0, greatest: 0 };
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for await (const chunk of readWeight(weight, checkpoint)) {
    signal?.throwIfAborted();
    for (const value of floatsOf(chunk)) {
      least = Math.min(least, value); // NaN wins, and stays
      greatest = Math.max(greatest, value);
    }
  }
  return { least, greatest };
}

function notFinite(name: string, dtype: string): InferenceError {
  const message = `weight "${name}": expected finite numbers to store as ${dtype}, got NaN or infinity`;
  return new InferenceError("unsupported", `${message}; leave this weight as it is, or store it as float16`);
}
