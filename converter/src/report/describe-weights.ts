import type { DataType } from "../graph/data-type.ts";
import type { Weight } from "../graph-model/weights.ts";

/** A weight as it was written. */
export interface WeightDescription {
  readonly name: string;
  readonly shape: readonly number[];
  /** TensorFlow's type of it in the model. */
  readonly saved: DataType;
  /** The type that its elements are stored as in the shards. */
  readonly stored: string;
  /** Its bytes in the shards; null for strings. */
  readonly bytes: number | null;
}

/** The weights of a model, in the order of the shards. */
export function describeWeights(weights: readonly Weight[]): readonly WeightDescription[] {
  return weights.map(({ name, shape, dtype, sizeBytes, value, quantization }) => ({
    name,
    shape,
    saved: value.dtype,
    stored: quantization?.dtype ?? dtype,
    bytes: sizeBytes,
  }));
}
