import { dtypes, elementCount, InferenceError, isDType, parseManifest, quantizedBytes } from "@nearside/core";
import { manifestOf } from "../download/manifest-of.ts";
import type { ModelSource } from "../model-source.ts";

/** Rejects with `out-of-memory` if a model's weights have more bytes, as they are stored. */
export async function checkMemoryLimit(
  source: ModelSource,
  limitBytes: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { model } = source.request;
  const weights = parseManifest(await manifestOf(source, signal), model).weightGroups.flatMap((group) => group.weights);
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
