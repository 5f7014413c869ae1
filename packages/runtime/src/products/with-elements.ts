import type { KernelBackend } from "@tensorflow/tfjs-core";
import type { Elements } from "./product-shader.ts";
import type { TileChoices } from "./tile-choice.ts";

/** How a backend computes products. */
export interface ProductBackend {
  /** In what our shaders compute all of them, for a while. */
  productElements?: Elements | undefined;
  /** What was measured on its device; undefined on a backend of TensorFlow.js's own. */
  readonly tileChoices?: TileChoices | undefined;
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
