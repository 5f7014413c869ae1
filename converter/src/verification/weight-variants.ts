import {
  findSmallWeights,
  plainWeight,
  type QuantizeContext,
  quantizeWeight,
} from "../graph-model/quantize-weights.ts";
import { readWeight, type Weight } from "../graph-model/weights.ts";
import { joinBytes } from "../join-bytes.ts";

/** A weight stored in one way, and its bytes. */
export interface Variant {
  readonly weight: Weight;
  readonly bytes: Uint8Array;
}

/** A weight as int8, as float16 and as float32: from the smallest to the most precise. */
export type Variants = readonly [int8: Variant, float16: Variant, float32: Variant];

/** All variants of each weight. What isn't float32 has one only; nor has a weight that a smaller type can't hold. */
export async function makeVariants(weights: readonly Weight[], context: QuantizeContext): Promise<readonly Variants[]> {
  const small = findSmallWeights(weights.filter(({ dtype }) => dtype === "float32"));
  const variants: Variants[] = [];
  for (const weight of weights) {
    if (weight.dtype !== "float32") {
      const only = await readVariant(weight, context);
      variants.push([only, only, only]);
      continue;
    }
    const float32 = await readVariant(plainWeight(weight), context);
    const half = await quantizeWeight(weight, "float16", context);
    const float16 = half.notice === undefined ? await readVariant(half.weight, context) : float32;
    const least = (await quantizeWeight(weight, small.has(weight.name) ? "small" : "int8", context)).weight;
    // A small one is float16 or float32 to begin with.
    const { dtype } = least.quantization ?? {};
    const int8 = dtype === "int8" ? await readVariant(least, context) : dtype === "float16" ? float16 : float32;
    variants.push([int8, float16, float32]);
  }
  return variants;
}

/** The weight, to be written with the bytes that are in memory. */
export function withBytes({ weight, bytes }: Variant): Weight {
  return {
    ...weight,
    async *readStored() {
      yield bytes;
    },
  };
}

async function readVariant(weight: Weight, { checkpoint, signal }: QuantizeContext): Promise<Variant> {
  const parts: Uint8Array[] = [];
  for await (const part of readWeight(weight, checkpoint)) {
    signal?.throwIfAborted();
    parts.push(part.slice());
  }
  return { weight, bytes: joinBytes(parts) };
}
