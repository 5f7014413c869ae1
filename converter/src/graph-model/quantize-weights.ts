import { elementCount, InferenceError } from "@nearside/core";
import type { Checkpoint } from "../saved-model/checkpoint.ts";
import { float16Limit, quantizationOf, quantizedDTypes, type ValueRange } from "./quantization.ts";
import { type QuantizeOptions, quantizedDTypeFor, unusedPatterns } from "./quantize-options.ts";
import { floatsOf, readWeight, type Weight } from "./weights.ts";

/** Weights with the storage they are to have, and what a person should know of it. */
export interface QuantizedWeights {
  readonly weights: readonly Weight[];
  readonly notices: readonly string[];
}

/**
 * Decides how each float32 weight is stored: others stay as they are. Reads the weights that change, chunk by chunk,
 * for their ranges. Throws `unsupported`, naming the weight, for values that an integer can't stand for: NaN and
 * infinity.
 */
export async function quantizeWeights(
  weights: readonly Weight[],
  checkpoint: Checkpoint,
  options: QuantizeOptions,
  signal?: AbortSignal,
): Promise<QuantizedWeights> {
  const floats = weights.filter(({ dtype }) => dtype === "float32").map(({ name }) => name);
  const notices = unusedPatterns(floats, options).map(
    ([dtype, pattern]) => `quantize: no float32 weight has a name like "${pattern}" (${dtype})`,
  );
  const quantized: Weight[] = [];
  for (const weight of weights) {
    const dtype = weight.dtype === "float32" ? quantizedDTypeFor(weight.name, options) : undefined;
    if (dtype === undefined) {
      quantized.push(weight);
      continue;
    }
    const { quantization: _, ...plain } = weight; // of a model that is quantised already
    const range = await rangeOf(plain, checkpoint, signal);
    const limit = Math.max(-range.least, range.greatest);
    if (!Number.isFinite(limit) && dtype !== "float16") throw notFinite(weight.name, dtype);
    if (Number.isFinite(limit) && limit > float16Limit && dtype === "float16") {
      notices.push(`weight "${weight.name}": values beyond ±${float16Limit} become infinite as float16`);
    }
    const sizeBytes = quantizedDTypes[dtype].bytes * elementCount(weight.shape);
    quantized.push({ ...plain, sizeBytes, quantization: quantizationOf(dtype, range) });
  }
  return { weights: quantized, notices };
}

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
