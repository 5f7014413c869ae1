import { dtypes, elementCount, InferenceError, isDType, quantizedBytes, type WeightSpec } from "@nearside/core";

/** A weight of a dtype that graph models have, and how many bytes it has in the shards; of strings, their lengths'. */
export interface StoredWeight extends WeightSpec {
  readonly dtype: WeightDType;
  readonly storedBytes: number;
}

const weightDTypes = ["float32", "int32", "bool", "complex64", "string"] as const;
type WeightDType = (typeof weightDTypes)[number];

/** How many bytes tell the length of a string, before its own. */
export const lengthBytes = 4;

/** How a weight lies in the shards. Throws `data-loss` for a dtype that no graph model has. */
export function storedWeight({ dtype, ...weight }: WeightSpec): StoredWeight {
  const { name, shape, quantization } = weight;
  if (!isWeightDType(dtype)) {
    const expected = `weight "${name}": expected one of ${weightDTypes.join(", ")}`;
    throw new InferenceError("data-loss", `${expected}, got ${dtype}; convert the model again`);
  }
  if (quantization) return { ...weight, dtype, storedBytes: quantizedBytes(quantization, shape) };
  return { ...weight, dtype, storedBytes: elementCount(shape) * (dtypes[dtype].bytes ?? lengthBytes) };
}

function isWeightDType(dtype: string): dtype is WeightDType {
  return isDType(dtype) && weightDTypes.some((known) => known === dtype);
}
