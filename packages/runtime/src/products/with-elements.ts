import type { KernelBackend } from "@tensorflow/tfjs-core";
import type { Elements } from "./product-shader.ts";

/** A backend while products are computed by our shaders, in these elements. */
export interface ProductBackend {
  productElements?: Elements | undefined;
}

/**
 * Has the products that `compute` asks for computed in these elements, by our shaders; in those of other sessions they
 * are not. It must not wait for anything.
 */
export function withElements<T>(backend: KernelBackend, elements: Elements | undefined, compute: () => T): T {
  const state = backend as ProductBackend; // it may have that property
  const before = state.productElements;
  state.productElements = elements;
  try {
    return compute();
  } finally {
    state.productElements = before;
  }
}
