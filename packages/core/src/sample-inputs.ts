import { dtypes } from "./dtype.ts";
import type { Signature, TensorSpec } from "./signature.ts";
import { elementCount, type Tensor, type Tensors } from "./tensor.ts";

/**
 * Inputs that a model can be tried on: numbers from −1 to 1 for floats, of which a wrong result can be told from a right
 * one, and zeros for the rest, which may be indices. A free batch is 1; undefined where another dimension is free, or the
 * rank is.
 */
export function sampleInputs({ inputs }: Signature): Tensors | undefined {
  const samples: Record<string, Tensor> = {};
  for (const [name, spec] of Object.entries(inputs)) {
    const shape = spec.shape?.map((size, axis) => (axis === 0 ? (size ?? 1) : size));
    if (!shape?.every((size) => size !== null)) return undefined;
    samples[name] = sample(spec, shape);
  }
  return samples;
}

function sample({ dtype }: TensorSpec, shape: readonly number[]): Tensor {
  const count = elementCount(shape);
  if (dtype === "float32") return { dtype, shape, data: Float32Array.from({ length: count }, (_, at) => Math.sin(at)) };
  if (dtype === "string") return { dtype, shape, data: new Array<string>(count).fill("") };
  return { dtype, shape, data: new dtypes[dtype].array(dtype === "complex64" ? count * 2 : count) } as Tensor; // matching
}
