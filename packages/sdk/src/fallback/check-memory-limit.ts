import { dtypes, elementCount, InferenceError, isDType, parseManifest, quantizedBytes } from "@nearside/core";

/** Throws `out-of-memory` if the weights of this `model.json` have more bytes, as they are stored. */
export function checkMemoryLimit(text: string, model: string, limitBytes: number): void {
  const weights = parseManifest(text, model).weightGroups.flatMap((group) => group.weights);
  let bytes = 0;
  for (const { dtype, shape, quantization } of weights) {
    const elementBytes = (isDType(dtype) ? dtypes[dtype].bytes : null) ?? 0; // strings have no size of their own
    bytes += quantization ? quantizedBytes(quantization, shape) : elementCount(shape) * elementBytes;
  }
  if (bytes <= limitBytes) return;
  throw new InferenceError(
    "out-of-memory",
    `${model}: its weights have ${bytes} bytes, over the limit of ${limitBytes}`,
  );
}
