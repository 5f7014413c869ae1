import type { KernelBackend, TensorInfo } from "@tensorflow/tfjs-core";
import type { Activation } from "./product-shader.ts";
import type { Product } from "./run-product.ts";

/** What is to be added to a product, and what follows. */
export interface Sum {
  readonly addend: TensorInfo;
  readonly activation: Activation;
  /** Whether the product has it. */
  isDone: boolean;
}

/** A backend while a product is computed that something is to be added to. */
export interface SumBackend {
  pendingSum?: Sum | undefined;
}

/** Has the product that `compute` asks for computed with this, where one shader can do both. It must not wait. */
export function withSum<T>(backend: KernelBackend, sum: Sum, compute: () => T): T {
  const state = backend as SumBackend; // it may have that property
  state.pendingSum = sum;
  try {
    return compute();
  } finally {
    state.pendingSum = undefined;
  }
}

/** The product with what is to be added; undefined where it has an activation before, or the shapes are others. */
export function addTo(product: Product, { addend, activation }: Sum): Product | undefined {
  if (product.activation !== "linear" || addend.dtype !== "float32") return undefined;
  const [shape, other] = [product.shape, addend.shape].map((sizes) =>
    sizes.slice(sizes.findIndex((size) => size !== 1)),
  );
  if (`${shape}` !== `${other}`) return undefined;
  return { ...product, residual: addend, activation };
}
